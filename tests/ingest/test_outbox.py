"""The outbox keeps what it took, in order, until it is told that the bus has it."""

import signal
import subprocess
import sys
import textwrap

import pytest

from ingest.outbox import Outbox, OutboxError, Outgoing


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
        assert (backlog.messages, backlog.size_bytes) == (2, 150)
        assert backlog.oldest_seconds >= 0.0


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
