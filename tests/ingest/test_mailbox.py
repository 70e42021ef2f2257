"""The mailbox: the newest frame wins, and the loser is handed back."""

import threading
from datetime import UTC, datetime

import numpy as np

from ingest.frame import Frame
from ingest.mailbox import Mailbox

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def frame(number):
    return Frame.from_bgr("cam-1", number, NOW, NOW, np.zeros((16, 16, 3), np.uint8))


def test_the_newest_frame_wins_and_the_displaced_one_comes_back():
    wake = threading.Event()
    mailbox = Mailbox(wake)
    assert mailbox.put(frame(1)) is None
    assert wake.is_set()
    assert mailbox.put(frame(2)).index == 1
    assert mailbox.take().index == 2
    assert mailbox.take() is None


def test_a_frame_that_may_not_be_lost_waits_for_its_turn():
    mailbox, stopping, taken = Mailbox(threading.Event()), threading.Event(), []
    writer = threading.Thread(
        target=lambda: [mailbox.put_when_free(frame(number), stopping) for number in range(50)]
    )
    writer.start()
    while len(taken) < 50:
        if (next_frame := mailbox.take()) is not None:
            taken.append(next_frame.index)
    writer.join(5)
    assert taken == list(range(50))


def test_a_stop_ends_the_wait():
    mailbox, stopping = Mailbox(threading.Event()), threading.Event()
    mailbox.put(frame(1))
    stopping.set()
    assert mailbox.put_when_free(frame(2), stopping) is False
    assert mailbox.take().index == 1


def test_a_frame_gives_its_planes():
    bgr = np.zeros((48, 64, 3), np.uint8)
    bgr[:, 32:] = 255
    made = Frame.from_bgr("cam-1", 0, NOW, NOW, bgr)
    assert (made.width, made.height) == (64, 48)
    assert np.array_equal(made.bgr(), bgr)
    luma = made.luma()
    assert luma.shape == (48, 64)
    assert luma[:, 40:].mean() - luma[:, :20].mean() > 150
    assert not luma.flags.writeable, "the decoder predicts from it"
