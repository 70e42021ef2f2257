import numpy as np

from detectors.camera_health.freshness import Freshness

GENERATOR = np.random.default_rng(4)
SCENE = GENERATOR.integers(60, 200, (180, 320)).astype(np.uint8)
EVERYWHERE = np.ones((9, 16), bool)


def noisy():
    return (SCENE + GENERATOR.integers(0, 3, SCENE.shape)).astype(np.uint8)


def test_noise_keeps_a_still_scene_fresh():
    freshness = Freshness(EVERYWHERE)
    assert all(freshness.stale_seconds(noisy(), float(at)) == 0.0 for at in range(60))


def test_the_same_picture_again_is_stale_for_as_long_as_it_lasts():
    freshness = Freshness(EVERYWHERE)
    for at in range(10):
        freshness.stale_seconds(noisy(), float(at))
    held = noisy()
    assert [freshness.stale_seconds(held, 10.0 + at) for at in range(50)] == list(range(50))
    assert freshness.stale_seconds(noisy(), 60.0) == 0.0


def test_pictures_that_go_round_are_stale():
    freshness, round_ = Freshness(EVERYWHERE), [noisy() for _ in range(8)]
    stale = [freshness.stale_seconds(round_[at % 8], float(at)) for at in range(60)]
    assert stale[-1] == 52.0


def test_a_clock_in_the_picture_does_not_hide_that_it_is_frozen():
    freshness = Freshness(EVERYWHERE)
    for at in range(60):
        held = SCENE.copy()
        held[4:14, 4:64] = at
        stale = freshness.stale_seconds(held, float(at))
    assert stale == 59.0


def test_a_walker_in_front_of_a_noiseless_wall_is_life():
    freshness = Freshness(EVERYWHERE)
    for at in range(60):
        picture = SCENE.copy()
        picture[60:140, (at * 7) % 300 : (at * 7) % 300 + 20] = 40
        stale = freshness.stale_seconds(picture, float(at))
    assert stale < 10


def test_black_white_and_masked_pictures_say_nothing():
    for level in (5, 250):
        assert Freshness(EVERYWHERE).stale_seconds(np.full((180, 320), level, np.uint8), 9.0) is None
    assert Freshness(np.zeros((9, 16), bool)).stale_seconds(SCENE, 9.0) is None


def test_memory_is_bounded():
    freshness = Freshness(EVERYWHERE)
    for at in range(100):
        freshness.stale_seconds(noisy(), float(at))
    assert {len(known) for known in freshness._known} == {12}


def test_a_clock_that_is_set_back_does_not_make_it_fresh_for_long():
    freshness = Freshness(EVERYWHERE)
    for at in range(10):
        freshness.stale_seconds(SCENE, 1e6 + at)
    assert freshness.stale_seconds(SCENE, 5.0) == 0.0
    assert freshness.stale_seconds(SCENE, 45.0) == 40.0
