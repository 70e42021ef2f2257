import numpy as np
import pytest

from detectors.motion import MotionGate
from tests.detectors.footage import street

HEIGHT, WIDTH = 360, 640


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


def settled(gate, still, seconds=5.0, rate=5, **noise):
    times = np.arange(int(seconds * rate)) / rate
    return [gate.update(picture(still, **noise), float(t)) for t in times]


def test_nothing_moves_in_a_still_scene_but_it_is_looked_at_in_time():
    results = settled(MotionGate(look_seconds=2.0), scene(), seconds=20.0)
    opened = [index / 5 for index, result in enumerate(results) if result.moving]
    assert all(results[round(t * 5)].forced for t in opened)
    assert opened[0] == 0.0
    assert np.diff(opened) == pytest.approx(2.0)


@pytest.mark.parametrize("noise", [1.0, 4.0, 8.0])
def test_sensor_noise_is_no_motion(noise):
    gate = MotionGate(look_seconds=1e9)
    results = settled(gate, scene(), seconds=20.0, generator=np.random.default_rng(3), noise=noise)
    assert not any(result.moving for result in results[15:])


def test_a_walker_opens_the_gate_at_once_and_keeps_it_open():
    gate, still = MotionGate(look_seconds=1e9), scene()
    assert not settled(gate, still)[-1].moving
    results = [gate.update(picture(with_walker(still, 40 + 10 * k)), 5.0 + k / 5) for k in range(30)]
    assert all(result.moving and not result.forced for result in results)


def test_the_gate_closes_after_the_walker_has_gone():
    gate, still = MotionGate(look_seconds=1e9), scene()
    settled(gate, still)
    for k in range(30):
        gate.update(picture(with_walker(still, 40 + 10 * k)), 5.0 + k / 5)
    after = [gate.update(picture(still), 11.0 + k / 5).moving for k in range(50)]
    assert not any(after[25:])


def test_a_change_of_the_light_is_learned_and_not_reported_as_motion():
    gate = MotionGate(look_seconds=1e9)
    settled(gate, scene(level=90))
    flash = gate.update(picture(scene(level=170)), 5.0)
    assert flash.forced
    after = [gate.update(picture(scene(level=170)), 5.2 + k / 5) for k in range(10)]
    assert not any(result.moving for result in after)


def test_after_a_gap_or_a_clock_set_back_the_scene_is_learned_anew():
    gate, still = MotionGate(look_seconds=1e9), scene()
    settled(gate, still)
    assert gate.update(picture(scene(seed=9)), 500.0).forced
    assert not gate.update(picture(scene(seed=9)), 500.2).moving
    assert gate.update(picture(still), 3.0).forced
    assert not gate.update(picture(still), 3.2).moving


def test_people_in_the_street_open_the_gate_and_a_frozen_street_closes_it():
    gate = MotionGate(look_seconds=1e9)
    lumas = [np.ascontiguousarray(p[:, :, 1]) for p in street(40, step=2)]
    moving = [gate.update(luma, k / 5).moving for k, luma in enumerate(lumas)]
    assert np.mean(moving) > 0.9
    frozen = [gate.update(lumas[-1], (len(lumas) + k) / 5).moving for k in range(150)]
    assert not any(frozen[100:])
