"""Day-partitioned Parquet: ``DIR/TABLE/day=YYYY-MM-DD/RUN.parquet``, which every tool reads as one table."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from command_center.analytics.needs import need
from command_center.analytics.tables import Row, by_day

AT_ONCE = 50_000
"""Rows a row group: what is held in memory for each day."""


class TableWriter:
    """Writes one table, a file a day; each is seen whole or not at all.

    Args:
        folder: of all tables.
        table: name.
        columns: name → kind.
        time: the column that says the day.
        run: part of the files' names: another run's files stay, the same run's are replaced.

    Raises:
        UsageError: pyarrow is not installed.
    """

    def __init__(self, folder: Path, table: str, columns: Mapping[str, str], time: str, run: str) -> None:
        self._arrow, self._parquet = need("pyarrow"), need("pyarrow.parquet")
        self._folder, self._time, self._run = folder / table, time, run
        self._schema = self._arrow.schema(
            [(name, _type(self._arrow, kind)) for name, kind in columns.items()]
        )
        self._waiting: dict[str, list[Row]] = {}
        self._writers: dict[str, Any] = {}
        self.rows = 0

    def write(self, rows: Iterable[Row]) -> None:
        """Add rows, of any day."""
        for day, row in by_day(rows, self._time):
            waiting = self._waiting.setdefault(day, [])
            waiting.append(row)
            self.rows += 1
            if len(waiting) >= AT_ONCE:
                self._flush(day)

    def close(self) -> list[Path]:
        """Finish, and say which files there are now."""
        for day in list(self._waiting):
            self._flush(day)
        done = []
        for day, writer in sorted(self._writers.items()):
            writer.close()
            path = self._path(day)
            path.with_suffix(".part").replace(path)
            done.append(path)
        return done

    def _flush(self, day: str) -> None:
        rows = self._waiting.pop(day)
        if day not in self._writers:
            path = self._path(day)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writers[day] = self._parquet.ParquetWriter(
                path.with_suffix(".part"), self._schema, compression="zstd"
            )
        self._writers[day].write_table(self._arrow.Table.from_pylist(rows, schema=self._schema))

    def _path(self, day: str) -> Path:
        return self._folder / f"day={day}" / f"{self._run}.parquet"


def _type(arrow: Any, kind: str) -> Any:
    if kind == "time":
        return arrow.timestamp("us", tz="UTC")
    if kind == "bool":
        return arrow.bool_()
    if kind.endswith("s"):
        return arrow.list_(_type(arrow, kind.removesuffix("s")))
    return getattr(arrow, kind)()
