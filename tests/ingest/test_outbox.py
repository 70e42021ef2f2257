"""The outbox keeps what it took, in order, until it is told that the bus has it."""

import signal
import sqlite3
import subprocess
import sys
import textwrap

import pytest

from ingest.outbox import Backlog, Outbox, OutboxError, Outgoing


def message(number: int, size: int = 10) -> Outgoing:
    return Outgoing("events", "cam", b"x" * size, (("n", str(number).encode()), ("raw", b"\x00\xff")), number)


def test_gives_back_what_it_took_in_order(tmp_path):
    with Outbox(tmp_path / "o.sqlite") as outbox:
        sent = [message(n) for n in range(5)]
        outbox.append(sent[:2])
        outbox.append(sent[2:])
        assert [m for _, m in outbox.waiting(10)] == sent
        assert [m for _, m in outbox.waiting(2)] == sent[:2]


def test_settled_messages_are_gone_and_the_rest_stays(tmp_path):
    with Outbox(tmp_path / "o.sqlite") as outbox:
        outbox.append([message(n) for n in range(4)])
        sequences = [sequence for sequence, _ in outbox.waiting(10)]
        outbox.settle([sequences[0], sequences[2]])
        assert [m.timestamp_ms for _, m in outbox.waiting(10)] == [1, 3]


def test_backlog_counts_messages_bytes_and_age(tmp_path):
    with Outbox(tmp_path / "o.sqlite") as outbox:
        assert outbox.backlog().messages == 0
        assert outbox.backlog().oldest_seconds == 0.0
        outbox.append([message(1, 100), message(2, 50)])
        backlog = outbox.backlog()
        headers = len('[["n", "1"], ["raw", "\\u0000\\u00ff"]]')
        assert (backlog.messages, backlog.size_bytes) == (2, 150 + 2 * headers)
        assert backlog.oldest_seconds >= 0.0
        outbox.settle([sequence for sequence, _ in outbox.waiting(1)])
        backlog = outbox.backlog()
        assert (backlog.messages, backlog.size_bytes, backlog.best_effort) == (1, 50 + headers, 0)


def test_epoch_rises_with_each_start(tmp_path):
    epochs = []
    for _ in range(3):
        with Outbox(tmp_path / "o.sqlite") as outbox:
            epochs.append(outbox.raise_epoch())
    assert epochs == sorted(set(epochs))


def test_what_was_appended_survives_kill_9(tmp_path):
    path = tmp_path / "o.sqlite"
    program = textwrap.dedent(f"""
        import os, signal, pathlib
        from ingest.outbox import Outbox, Outgoing
        outbox = Outbox(pathlib.Path({str(path)!r}))
        for n in range(20):
            outbox.append([Outgoing("events", "cam", b"v", (), n)])
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    ended = subprocess.run([sys.executable, "-c", program], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    with Outbox(path) as outbox:
        assert [m.timestamp_ms for _, m in outbox.waiting(100)] == list(range(20))


def test_a_full_disk_is_an_error_and_loses_nothing(tmp_path):
    with Outbox(tmp_path / "o.sqlite") as outbox:
        outbox.append([message(1)])
        # SQLite's own bound stands in for the disk's: the same error code, SQLITE_FULL.
        pages = outbox._db.execute("PRAGMA page_count").fetchone()[0]
        outbox._db.execute(f"PRAGMA max_page_count={pages}")
        with pytest.raises(OutboxError, match="full"):
            outbox.append([message(2), message(3, 2_000_000)])
        assert [m.timestamp_ms for _, m in outbox.waiting(10)] == [1]
        outbox._db.execute("PRAGMA max_page_count=1000000")
        outbox.append([message(2)])
        assert [m.timestamp_ms for _, m in outbox.waiting(10)] == [1, 2]


def test_a_file_that_is_no_outbox_is_refused(tmp_path):
    path = tmp_path / "o.sqlite"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(OutboxError, match="not a database"):
        Outbox(path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutboxError):
        Outbox(tmp_path / "file" / "o.sqlite")


def observation(number: int, size: int = 1000, topic: str = "observations") -> Outgoing:
    return Outgoing(topic, "cam", b"o" * size, (), number)


def test_what_must_not_be_lost_goes_first_and_each_kind_keeps_its_order(tmp_path):
    with Outbox(tmp_path / "o.sqlite") as outbox:
        outbox.append([observation(1), observation(2)], best_effort=True)
        outbox.append([message(3)])
        outbox.append([observation(4)], best_effort=True)
        outbox.append([message(5)])
        assert [m.timestamp_ms for _, m in outbox.waiting(10)] == [3, 5, 1, 2, 4]
        assert outbox.backlog().best_effort == 3


def test_only_the_oldest_best_effort_messages_are_given_up_and_only_as_many_as_needed(tmp_path):
    with Outbox(tmp_path / "o.sqlite") as outbox:
        outbox.append([message(n, 1000) for n in range(3)])
        outbox.append([observation(n) for n in range(1200)], best_effort=True)
        outbox.append([observation(n, topic="status") for n in range(1200, 1210)], best_effort=True)
        limit = outbox.backlog().size_bytes - 700 * 1002  # their headers, "[]", count as well
        assert outbox.give_up(limit) == {"observations": 700}
        assert outbox.give_up(limit) == {}
        assert outbox.backlog().size_bytes <= limit
        left = [m.timestamp_ms for _, m in outbox.waiting(2000)]
        assert left == [0, 1, 2, *range(700, 1210)]
        assert outbox.give_up(0) == {"observations": 500, "status": 10}
        assert [m.timestamp_ms for _, m in outbox.waiting(10)] == [0, 1, 2]


def test_an_outbox_of_release_0_1_0_is_read_on(tmp_path):
    path = tmp_path / "o.sqlite"
    with sqlite3.connect(path) as old:
        old.executescript(
            """
            CREATE TABLE outbox (
                sequence INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, key TEXT NOT NULL,
                value BLOB NOT NULL, headers TEXT NOT NULL, timestamp_ms INTEGER NOT NULL,
                appended_at REAL NOT NULL
            );
            CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
            INSERT INTO outbox VALUES (7, 'events', 'cam', x'0102', '[["n", "1"]]', 5, 1.0);
            INSERT INTO meta VALUES ('epoch', 4);
            """
        )
    old.close()
    with Outbox(path) as outbox, Outbox(path) as publisher:
        assert publisher.waiting(10) == [(7, Outgoing("events", "cam", b"\x01\x02", (("n", b"1"),), 5))]
        assert publisher.backlog().size_bytes == 2 + len('[["n", "1"]]')
        outbox.append([message(6)])
        assert publisher.give_up(0) == {}
        publisher.settle([sequence for sequence, _ in publisher.waiting(10)])
        assert publisher.backlog() == Backlog(0, 0, 0.0, 0)
