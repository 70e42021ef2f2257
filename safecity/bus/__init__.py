"""The bus: one port (:mod:`safecity.bus.port`), one implementation a file."""

from safecity.bus.port import Bus
from safecity.plugins import load_plugin
from safecity.settings import Site

__all__ = ["Bus", "open_bus"]


def open_bus(site: Site) -> Bus:
    """The bus that the site asks for."""
    bus: Bus = load_plugin("safecity.bus", site.bus.backend).build(site)
    return bus
