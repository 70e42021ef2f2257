"""The bus of one machine: a durable log in a SQLite file, for several processes, without a broker."""

from functools import partial

from safecity.bus._bus import LogBus
from safecity.bus._sqlite_log import SqliteLog
from safecity.settings import Site


def build(site: Site) -> LogBus:
    """The bus in ``site.bus.path`` under the data folder. The file is made when it is first used."""
    return LogBus(partial(SqliteLog, site.in_data_dir(site.bus.path)))
