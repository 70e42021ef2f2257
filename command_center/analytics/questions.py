"""The questions that analysts ask most, as SQL over the Parquet files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command_center.analytics.needs import need
from safecity.cli import UsageError

SESSION_SECONDS = 3.0
"""A track out of a zone for longer has left it."""


@dataclass(frozen=True)
class Answer:
    """A table."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


_COUNTS = """
SELECT camera_id, kind, coalesce(line, zone, '') AS place, coalesce(direction, '') AS direction,
       coalesce(label, '') AS label, date_trunc('hour', occurred_at AT TIME ZONE ?) AS local_hour,
       count(*) AS events
FROM (
  SELECT * FROM events
  QUALIFY row_number() OVER (PARTITION BY run, event_id ORDER BY revision DESC) = 1
) WHERE (?::VARCHAR IS NULL OR camera_id = ?)
GROUP BY ALL ORDER BY ALL
"""

# A visit: rows of one track in one zone with no longer gap between them (gaps and islands).
_VISITS = """
WITH seen AS (
  SELECT run, camera_id, track_id, label, captured_at, unnest(zones) AS zone
  FROM observations
  WHERE track_id IS NOT NULL AND (?::VARCHAR IS NULL OR camera_id = ?)
), marked AS (
  SELECT *, coalesce(epoch(captured_at - lag(captured_at) OVER w) > ?, true)::INT AS begins
  FROM seen WINDOW w AS (PARTITION BY run, camera_id, track_id, zone ORDER BY captured_at)
), numbered AS (
  SELECT *, sum(begins) OVER (PARTITION BY run, camera_id, track_id, zone ORDER BY captured_at) AS visit
  FROM marked
), visits AS (
  SELECT run, camera_id, track_id, zone, visit, mode(label) AS label, min(captured_at) AS entered_at,
         max(captured_at) AS left_at, epoch(max(captured_at) - min(captured_at)) AS seconds
  FROM numbered GROUP BY run, camera_id, track_id, zone, visit
)
"""
_DWELL = (
    _VISITS
    + """
SELECT camera_id, zone, label, count(*) AS visits, round(avg(seconds), 3) AS mean_seconds,
       round(quantile_cont(seconds, 0.5), 3) AS median_seconds,
       round(quantile_cont(seconds, 0.95), 3) AS p95_seconds, round(max(seconds), 3) AS longest_seconds
FROM visits GROUP BY ALL ORDER BY ALL
"""
)
_OD = (
    _VISITS
    + """
, ends AS (
  SELECT run, camera_id, track_id, mode(label) AS label, arg_min(zone, entered_at) AS origin,
         arg_max(zone, left_at) AS destination
  FROM visits GROUP BY run, camera_id, track_id
)
SELECT camera_id, origin, destination, label, count(*) AS tracks
FROM ends GROUP BY ALL ORDER BY ALL
"""
)
_HEAT = """
SELECT least(floor((x1 + x2) / 2 * ?), ? - 1)::INT AS col, least(floor(y2 * ?), ? - 1)::INT AS row,
       count(*) AS seen
FROM observations WHERE track_id IS NOT NULL AND camera_id = ? AND (?::VARCHAR IS NULL OR label = ?)
GROUP BY ALL ORDER BY ALL
"""


class Questions:
    """Asks the Parquet files in a folder.

    Args:
        folder: as ``safecity export parquet`` wrote it.

    Raises:
        UsageError: duckdb is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._duckdb = need("duckdb")

    def counts(self, timezone: str, camera_id: str | None = None) -> Answer:
        """Events by camera, kind, line or zone, direction, class and hour of ``timezone``."""
        return self._ask(_COUNTS, [timezone, camera_id, camera_id], "events")

    def dwell(self, camera_id: str | None = None) -> Answer:
        """How long objects stay in each zone: visits, mean, median, 95 % and longest, seconds."""
        return self._ask(_DWELL, [camera_id, camera_id, SESSION_SECONDS], "observations")

    def od(self, camera_id: str | None = None) -> Answer:
        """Tracks by the zone that they were in first and the one that they were in last."""
        return self._ask(_OD, [camera_id, camera_id, SESSION_SECONDS], "observations")

    def heat(self, camera_id: str, label: str | None, columns: int, rows: int) -> Answer:
        """How often a foot point was in each cell of the picture; ``columns`` by ``rows`` cells."""
        parameters = [columns, columns, rows, rows, camera_id, label, label]
        return self._ask(_HEAT, parameters, "observations")

    def _ask(self, query: str, parameters: list[Any], table: str) -> Answer:
        if not any((self._folder / table).glob("day=*/*.parquet")):
            raise UsageError(
                f"there are no {table} in {self._folder}; write them with: safecity export parquet"
                + (" --observations FILE" if table == "observations" else "")
            )
        with self._duckdb.connect() as connection:
            files = str(self._folder / table / "day=*" / "*.parquet").replace("'", "''")
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(
                f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{files}', hive_partitioning = true)"
            )
            result = connection.execute(query, parameters)
            columns = tuple(column[0] for column in result.description)
            return Answer(columns, tuple(tuple(row) for row in result.fetchall()))
