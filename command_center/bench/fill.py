"""Filling a store with millions of rows faster than the consumer would, into the same tables and indexes."""

from collections.abc import Callable
from datetime import datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa

from command_center.bench.made_up import made_up_rows
from command_center.store.schema import event_counts, events
from command_center.store.store import Store

AT_ONCE = 20_000
_COUNT = sa.insert(event_counts).from_select(
    ["camera_id", "kind", "stored"],
    sa.select(events.c.camera_id, events.c.kind, sa.func.count()).group_by(events.c.camera_id, events.c.kind),
)
COLUMNS = tuple(column.name for column in events.columns if column.name != "sequence")


def fill(store: Store, count: int, end: datetime, advance: Callable[[int], None]) -> None:
    """Put ``count`` made-up events of the year before ``end`` into a store.

    Args:
        store: on SQLite or PostgreSQL; nobody else uses it meanwhile.
        count: how many.
        end: of the year.
        advance: told how many more are in.
    """
    rows = made_up_rows(count, end)
    postgres = store.engine.dialect.name == "postgresql"
    with store.engine.connect() as connection:
        if not postgres:
            # Should this break off, the file is thrown away. One transaction, because each of many would
            # write nearly every page of the index of ids again.
            for pragma in (
                "journal_mode=DELETE",
                "journal_mode=OFF",
                "synchronous=OFF",
                "cache_size=-400000",
            ):
                connection.exec_driver_sql(f"PRAGMA {pragma}")
        driver = connection.connection.driver_connection
        while chunk := list(islice(rows, AT_ONCE)):
            (_copy if postgres else _insert)(driver, chunk)
            advance(len(chunk))
        driver.commit()  # type: ignore[union-attr]
        connection.invalidate()  # the pragmas go with it
    with store.writing() as connection:
        connection.execute(sa.delete(event_counts))
        connection.execute(_COUNT)
    if postgres:
        # What autovacuum does by and by.
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM ANALYZE events"))


def _insert(driver: Any, rows: list[tuple[Any, ...]]) -> None:
    places = ", ".join("?" * len(COLUMNS))
    driver.executemany(f"INSERT INTO events ({', '.join(COLUMNS)}) VALUES ({places})", rows)


def _copy(driver: Any, rows: list[tuple[Any, ...]]) -> None:
    with driver.cursor() as cursor, cursor.copy(f"COPY events ({', '.join(COLUMNS)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
