import numpy as np

from ingest.packet_sizes import PacketSizes


def learned(still, moving, seed=0):
    """Sizes that vary by a tenth: 400 while nothing moves, 80 with motion, in turns."""
    generator = np.random.default_rng(seed)
    sizes = PacketSizes()
    for _ in range(4):
        for _ in range(100):
            sizes.learn(int(still * generator.lognormal(0, 0.1)), moving=False)
        for _ in range(20):
            sizes.learn(int(moving * generator.lognormal(0, 0.1)), moving=True)
    return sizes


def test_sizes_that_show_motion_are_trusted_and_a_large_packet_stands_out():
    sizes = learned(still=1000, moving=6000)
    assert sizes.trusted
    assert sizes.stands_out(5000)
    assert not sizes.stands_out(1100)


def test_with_a_constant_bit_rate_nothing_is_trusted():
    assert not learned(still=8000, moving=8200).trusted


def test_nothing_is_trusted_before_both_have_been_seen():
    sizes = PacketSizes()
    for _ in range(500):
        sizes.learn(1000, moving=False)
    assert not sizes.trusted
    always_busy = PacketSizes()
    for _ in range(500):
        always_busy.learn(6000, moving=True)
    assert not always_busy.trusted


def test_sizes_that_jump_by_themselves_are_not_trusted():
    sizes = learned(still=1000, moving=6000)
    for k in range(300):
        sizes.learn(30000 if k % 40 == 0 else 1000, moving=False)
    assert not sizes.trusted
