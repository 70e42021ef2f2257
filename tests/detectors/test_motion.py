import cv2
import numpy as np
import pytest

from detectors.motion import MotionGate, shrink
from tests.detectors.footage import street

HEIGHT, WIDTH = 360, 640
NEVER = 1e9


def scene(seed=0, level=110.0):
    generator = np.random.default_rng(seed)
    coarse = generator.uniform(-40, 40, (HEIGHT // 20, WIDTH // 20))
    return np.kron(coarse, np.ones((20, 20))) + level


def picture(still, generator=None, noise=0.0):
    noisy = still if generator is None else still + generator.normal(0, noise, still.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def with_walker(still, x):
    moved = still.copy()
    moved[200:248, x : x + 18] = 20
    return moved


def update(gate, luma, seconds):
    return gate.update(shrink(luma), float(seconds))


def settled(gate, still, seconds=5.0, rate=5, **noise):
    return [update(gate, picture(still, **noise), t / rate) for t in range(int(seconds * rate))]


def test_nothing_moves_in_a_still_scene_but_it_is_looked_at_in_time():
    results = settled(MotionGate(look_seconds=2.0), scene(), seconds=20.0)
    looks = [index / 5 for index, result in enumerate(results) if result.look]
    assert all(results[round(t * 5)].whole for t in looks)
    assert not any(result.moving for result in results)
    assert looks[0] == 0.0
    assert np.diff(looks) == pytest.approx(2.0)


@pytest.mark.parametrize("noise", [1.0, 4.0, 8.0])
def test_sensor_noise_is_no_motion(noise):
    gate = MotionGate(look_seconds=NEVER)
    results = settled(gate, scene(), seconds=20.0, generator=np.random.default_rng(3), noise=noise)
    assert not any(result.moving for result in results[15:])


def test_a_walker_opens_the_gate_at_once_and_is_where_it_says():
    gate, still = MotionGate(look_seconds=NEVER), scene()
    assert not settled(gate, still)[-1].moving
    for k in range(30):
        x = 40 + 10 * k
        result = update(gate, picture(with_walker(still, x)), 5.0 + k / 5)
        assert result.moving
        assert result.look
        assert not result.whole
        left, top, right, bottom = (result.patches * [WIDTH, HEIGHT, WIDTH, HEIGHT]).T
        assert left.min() <= x + 6
        assert right.max() >= x + 12
        assert top.min() <= 206
        assert bottom.max() >= 242


def test_a_distant_walker_is_seen():
    gate = MotionGate(look_seconds=NEVER)
    still = cv2.resize(scene(), (1280, 720), interpolation=cv2.INTER_LINEAR)
    settled(gate, still)
    moving = []
    for k in range(25):
        small = still.copy()
        x = 300 + 4 * k
        small[400:424, x : x + 9] -= 45
        moving.append(update(gate, picture(small), 5.0 + k / 5).moving)
    assert np.mean(moving[2:]) > 0.9


@pytest.mark.parametrize("last", ["gone", "stopped"])
def test_the_gate_closes_within_a_second_of_the_last_motion(last):
    gate, still = MotionGate(look_seconds=NEVER), scene()
    settled(gate, still)
    for k in range(30):
        update(gate, picture(with_walker(still, 40 + 10 * k)), 5.0 + k / 5)
    rest = still if last == "gone" else with_walker(still, 330)
    after = [update(gate, picture(rest), 11.0 + k / 5).moving for k in range(50)]
    assert not any(after[5:])


def test_a_change_of_the_light_is_learned_and_not_reported_as_motion():
    gate = MotionGate(look_seconds=NEVER)
    settled(gate, scene(level=90))
    generator = np.random.default_rng(5)
    infrared = np.clip(scene(seed=3, level=150) + generator.normal(0, 2, (HEIGHT, WIDTH)), 0, 255)
    results = [update(gate, infrared.astype(np.uint8), 5.0 + k / 5) for k in range(20)]
    assert results[0].whole
    assert not any(result.moving for result in results)


def test_dusk_is_no_motion():
    gate, still = MotionGate(look_seconds=NEVER), scene(level=150)
    settled(gate, still)
    results = [update(gate, picture(still - 0.5 * k), 5.0 + k / 5) for k in range(150)]
    assert not any(result.moving for result in results)


def test_what_flickers_faintly_for_ever_calms_down():
    gate, still = MotionGate(look_seconds=NEVER), scene()
    generator = np.random.default_rng(4)
    moving = []
    for k in range(600):
        sign = still.copy()
        sign[40:80, 500:560] += generator.choice([-5, 5])
        moving.append(update(gate, picture(sign), k / 5).moving)
    assert np.mean(moving[-100:]) < 0.1


def test_after_a_gap_or_a_clock_set_back_the_scene_is_learned_anew():
    gate, still = MotionGate(look_seconds=NEVER), scene()
    settled(gate, still)
    assert update(gate, picture(scene(seed=9)), 500.0).whole
    assert not update(gate, picture(scene(seed=9)), 500.2).moving
    assert update(gate, picture(still), 3.0).whole
    assert not update(gate, picture(still), 3.2).moving


def test_people_in_the_street_open_the_gate_and_a_frozen_street_closes_it():
    gate = MotionGate(look_seconds=NEVER)
    lumas = [np.ascontiguousarray(p[:, :, 1]) for p in street(40, step=2)]
    moving = [update(gate, luma, k / 5).moving for k, luma in enumerate(lumas)]
    assert np.mean(moving[1:]) > 0.9
    frozen = [update(gate, lumas[-1], (len(lumas) + k) / 5).moving for k in range(150)]
    assert not any(frozen[5:])
