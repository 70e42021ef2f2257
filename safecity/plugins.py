"""Plug-ins by name: module name = configuration name, and nothing else is imported."""

import importlib
import pkgutil
from types import ModuleType


class UnknownPluginError(ValueError):
    """No plug-in of that name; the message lists those there are."""


def plugin_names(package: str) -> list[str]:
    """The plug-ins that ``package`` has: its modules, without private ones."""
    module = importlib.import_module(package)
    return sorted(m.name for m in pkgutil.iter_modules(module.__path__) if not m.name.startswith("_"))


def load_plugin(package: str, name: str) -> ModuleType:
    """Import the module ``package.name``.

    Raises:
        UnknownPluginError: there is no such module.
    """
    known = plugin_names(package)
    if name not in known:
        raise UnknownPluginError(f"no {package} plug-in is called {name!r}; there are: {', '.join(known)}")
    return importlib.import_module(f"{package}.{name}")
