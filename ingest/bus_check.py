"""Trying the bus: does it answer, does it take this worker, may it write what a worker writes?"""

from dataclasses import dataclass

from safecity.bus import open_bus
from safecity.bus.port import TOPICS, BusError
from safecity.bus.roles import ROLES
from safecity.redaction import redact
from safecity.settings import Site


@dataclass(frozen=True)
class BusCheck:
    """What came of trying the bus."""

    ok: bool
    reason: str | None = None
    missing_topics: tuple[str, ...] = ()
    """The first one that may makes them."""


def try_bus(site: Site) -> BusCheck:
    """Ask the site's bus what a worker needs of it; nothing is published."""
    role = next(role for role in ROLES if role.name == "worker")
    writes = [topic for topic in role.writes if topic in TOPICS]
    reads = [topic for topic in role.reads if topic in TOPICS]
    try:
        with open_bus(site) as bus:
            missing = bus.check(writes, reads)
    except BusError as error:
        return BusCheck(ok=False, reason=redact(error))
    return BusCheck(ok=True, missing_topics=tuple(missing))
