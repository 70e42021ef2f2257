"""Decoding on demand, on real streams: what moves is decoded, what is still is not, and nothing gets lost."""

from collections import Counter

import pytest

from detectors.motion import MotionGate, shrink
from ingest.attention import Attention, DecodePolicy
from ingest.bench.clips import GOP, RATE
from ingest.decoder import Decoder
from ingest.frame import luma_of
from ingest.ledger import Outcome
from ingest.snapshots import PrivacyMask
from tests.ingest.clips import clip_file, packets

BURST = (13.5, 16.5)
"""When something moves in an active clip of 30 s."""


class Watched:
    """A decoder and the gate that tells it what it sees, as in a worker, one after the other."""

    def __init__(self, path, policy=DecodePolicy.ON_DEMAND, masks=()):
        self.attention = Attention(policy)
        self.gate = MotionGate()
        self.decoded, self.unseen, self.late = {}, {}, set()
        self.asleep_at = []
        source = packets(path)
        stream = next(source)
        self.tick = float(stream.time_base)
        self.decoder = Decoder(stream.codec_context, self.tick, self.attention, PrivacyMask(masks))
        self.packets = source

    def run(self, until=10**9):
        for packet in self.packets:
            for what in self.decoder.feed(packet):
                self.take(what)
            if packet.pts is not None and self.decoder.asleep:
                self.asleep_at.append(packet.pts * self.tick)
            if packet.pts is not None and packet.pts * self.tick >= until:
                break
        return self

    def take(self, what):
        index = round(what.pts * self.tick * RATE)
        assert index not in self.decoded
        assert index not in self.unseen
        if what.picture is None:
            self.unseen[index] = what.unseen
            return
        self.decoded[index] = what.picture
        if what.late:
            self.late.add(index)
        if index % 5 == 0:
            seen = self.gate.update(shrink(luma_of(what.picture)), index / RATE)
            self.attention.saw(index / RATE, moving=seen.moving)


@pytest.mark.parametrize("rate", ["cbr", "vbr"])
@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_all_that_moves_is_decoded_and_little_else(codec, rate):
    watched = Watched(clip_file(activity="active", codec=codec, rate=rate, seconds=30)).run()
    burst = range(round(BURST[0] * RATE), round(BURST[1] * RATE))
    assert [index for index in burst if index not in watched.decoded] == []
    assert len(watched.decoded) + len(watched.unseen) == 30 * RATE
    assert set(watched.unseen.values()) == {Outcome.STILL}
    # Awake: the first seconds, the burst with the key distance before it, and the quiet time after it.
    assert len(watched.decoded) < 0.5 * 30 * RATE


def test_pictures_are_the_same_as_when_everything_is_decoded():
    path = clip_file(activity="active", codec="h264", rate="cbr", seconds=30)
    some, all_ = Watched(path).run(), Watched(path, DecodePolicy.FULL).run()
    assert len(all_.decoded) == 30 * RATE
    for index in (*range(340, 345), *range(400, 405), *(k * GOP for k in range(15))):
        assert (some.decoded[index].to_ndarray() == all_.decoded[index].to_ndarray()).all(), index


def test_a_street_that_is_always_busy_is_never_slept_through():
    watched = Watched(clip_file(activity="busy", codec="h264", rate="cbr", seconds=12)).run()
    assert watched.asleep_at == []
    assert len(watched.decoded) == 12 * RATE


def test_a_still_street_costs_its_key_frames():
    watched = Watched(clip_file(activity="static", codec="h264", rate="cbr", seconds=12)).run()
    asleep = [index for index in watched.decoded if index / RATE > 5.0]
    assert all(index % GOP == 0 for index in asleep)
    assert Counter(watched.unseen.values())[Outcome.STILL] > 6 * RATE


def test_what_moves_only_behind_a_mask_wakes_nobody():
    everything = ((0, 0), (1, 0), (1, 1), (0, 1))
    path = clip_file(activity="active", codec="h264", rate="cbr", seconds=30)
    watched = Watched(path, masks=(everything,))
    watched.gate.update = lambda small, seconds: MotionGate().update(small * 0, seconds)
    watched.run()
    assert max(watched.decoded) < 30 * RATE
    assert not watched.late


def test_a_policy_that_changes_while_asleep_loses_no_frame():
    watched = Watched(clip_file(activity="static", codec="h264", rate="cbr", seconds=12)).run(until=8.9)
    assert watched.decoder.asleep
    watched.attention.policy = DecodePolicy.FULL
    watched.run()
    assert len(watched.decoded) + len(watched.unseen) == 12 * RATE
    assert all(index in watched.decoded for index in range(8 * RATE, 12 * RATE))


def test_key_frames_only_gives_up_the_rest_and_says_so():
    path = clip_file(activity="static", codec="h264", rate="cbr", seconds=12)
    watched = Watched(path, DecodePolicy.KEY_FRAMES).run()
    assert sorted(watched.decoded) == list(range(0, 12 * RATE, GOP))
    assert set(watched.unseen.values()) == {Outcome.SHED}
