"""The extra ``analysis``: loaded when it is used, with a clear word when it is missing."""

from importlib import import_module
from types import ModuleType

from safecity.cli import UsageError


def need(module: str) -> ModuleType:
    """Import a module of the extra.

    Raises:
        UsageError: it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"this needs {error.name}, which is not installed: pip install 'safecity[analysis]'"
        ) from None
