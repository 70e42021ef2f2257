"""Things that are put down and taken away are seen; light, rain and what passes are not."""

import cv2
import numpy as np
import pytest

from detectors.scene_change import ABSORB_SECONDS, SceneChange
from safecity.rules import build_rule
from safecity.rules.object_left import Settings as Left
from safecity.rules.object_removed import Settings as Removed
from tests.footage.street import BEGIN, observations, small_pictures
from tests.safecity.rules.scenes import SCENE, change

RULES = (Left(name="left", persistence_seconds=15), Removed(name="removed", persistence_seconds=15))
STEP = 0.4
PLACE = (slice(120, 131), slice(60, 69))
"""On the lawn."""


def bag(picture):
    """A dark bag with a light handle, 9 x 11 pixels."""
    changed = picture.copy()
    changed[PLACE] = 35
    changed[120:122, 63:66] = 200
    return changed


def footage(edit=lambda picture, seconds: picture):
    """Events of both rules over the street with its people, each picture edited."""
    scene, rules, events = SceneChange(), [build_rule(rule, SCENE) for rule in RULES], []
    for n, (small, seen) in enumerate(zip(small_pictures()[::2], observations()[::2], strict=True)):
        picture = np.clip(edit(small, n * STEP), 0, 255).astype(np.uint8)
        moving = np.array([t.box for t in seen.tracks if not t.stationary]).reshape(-1, 4)
        standing = np.array([t.box for t in seen.tracks if t.stationary]).reshape(-1, 4)
        found = scene.update(picture, n * STEP, moving, standing)
        changes = tuple(change(r.box, r.since_seconds, r.kind) for r in found)
        for rule in rules:
            events += rule.update(seen.model_copy(update={"changes": changes}))
    return events


def at(event):
    return (event.occurred_at - BEGIN).total_seconds()


def test_people_who_walk_and_stand_about_are_no_things():
    assert footage() == []


def test_a_bag_that_is_left_is_one_event_until_it_is_taken_away():
    events = footage(lambda picture, s: bag(picture) if 25 <= s < 60 else picture)
    assert [(event.kind, event.phase) for event in events] == [
        ("object_left", "opened"),
        ("object_left", "closed"),
    ]
    x1, y1, x2, y2 = events[0].box
    assert (x1 * 320, y1 * 180, x2 * 320, y2 * 180) == pytest.approx((60, 120, 69, 131), abs=2)
    assert 38 <= at(events[0]) <= 45
    assert 62 <= at(events[1]) <= 70


def test_a_thing_of_the_scene_that_is_taken_away_is_removed():
    events = footage(lambda picture, s: bag(picture) if s < 35 else picture)
    assert [(event.kind, event.phase) for event in events] == [("object_removed", "opened")]
    assert 48 <= at(events[0]) <= 55


def exposure(picture, s):
    return picture * (1.0 if s < 25 else 1.35)


def infrared(picture, s):
    """The other contrast of infrared light, and back."""
    return 40 + 0.6 * (255 - picture.astype(float)) if 25 <= s < 50 else picture


def dusk(picture, s):
    return picture * (1 - s / 160)


def lightning(picture, s):
    return picture + 90.0 * (s % 20 < 0.6)


def rain(picture, s):
    generator = np.random.default_rng(int(s * 10))
    streaks = np.zeros(picture.shape, np.float32)
    for x, y in generator.integers(0, (320, 170), (120, 2)):
        streaks[y : y + 9, x] = 60
    return picture + streaks * (s >= 20)


def noise(picture, s):
    return picture + np.random.default_rng(int(s * 10)).normal(0, 6, picture.shape)


def headlights(picture, s):
    """A parked car's cone of light with a soft border, and sweeping ones before."""
    lit = np.zeros(picture.shape, np.float32)
    x = 60 if s >= 30 else int(40 * s) % 320
    cv2.ellipse(lit, (x, 130), (38, 14), 0, 0, 360, 70.0, -1)
    return picture + cv2.GaussianBlur(lit, (0, 0), 7) * (s >= 15)


def cloud(picture, s):
    """A shadow with a soft border that comes over half of the picture, and stays."""
    across = np.clip((np.arange(320) - 320 + 4 * (s - 20)) / 30, 0, 1) if s > 20 else np.zeros(320)
    return picture * (1 - 0.3 * across[None, :])


def moved(picture, s):
    return np.roll(picture, (3, 4), axis=(0, 1)) if s >= 30 else picture


@pytest.mark.parametrize(
    "weather",
    [exposure, infrared, dusk, lightning, rain, noise, headlights, cloud, moved],
    ids=lambda f: f.__name__,
)
def test_light_weather_and_a_moved_camera_are_no_things(weather):
    assert footage(weather) == []


def test_a_bag_in_the_rain_is_found_all_the_same():
    events = footage(lambda picture, s: rain(bag(picture) if s >= 25 else picture, s))
    assert [event.kind for event in events] == ["object_left"]


def look(pictures, *, standing=(), moving=(), step=0.5):
    """The last report over pictures of a still scene."""
    scene, found = SceneChange(), []
    for n, picture in enumerate(pictures):
        still = np.array(standing[n] if standing else []).reshape(-1, 4)
        going = np.array(moving[n] if moving else []).reshape(-1, 4)
        found.append(scene.update(picture, n * step, going, still))
    return found


@pytest.fixture(scope="module")
def still():
    return small_pictures()[0]


def test_the_report_says_since_when(still):
    found = look([still] * 60 + [bag(still)] * 60)
    (region,) = found[-1]
    assert region.kind == "appeared"
    assert region.since_seconds == pytest.approx(30, abs=4)


def test_who_stands_there_is_tracked_and_no_thing(still):
    box = (56 / 320, 116 / 180, 73 / 320, 135 / 180)
    pictures = [still] * 60 + [bag(still)] * 60
    assert look(pictures, standing=[[]] * 60 + [[box]] * 60)[-1] == []


def test_what_passes_in_front_does_not_make_it_another_thing(still):
    box = (56 / 320, 116 / 180, 73 / 320, 135 / 180)
    passing = [[box] if 90 <= n < 96 else [] for n in range(120)]
    found = look([still] * 60 + [bag(still)] * 60, moving=passing)
    assert all(len(regions) == 1 for regions in found[80:])
    assert found[-1][0].since_seconds > 20


def test_in_the_end_it_belongs_to_the_scene_and_its_removal_is_seen(still):
    count = int(ABSORB_SECONDS / 2) + 40
    found = look([still] * 20 + [bag(still)] * count + [still] * 20, step=2.0)
    assert found[30]
    assert found[-25] == []
    assert [region.kind for region in found[-1]] == ["vanished"]


def test_after_a_gap_or_a_clock_set_back_the_scene_is_learned_anew(still):
    scene, none = SceneChange(), np.zeros((0, 4))
    times = [*np.arange(0, 30, 0.5), *np.arange(5000, 5030, 0.5), *np.arange(100, 130, 0.5)]
    pictures = [still] * 60 + [bag(still)] * 60 + [still] * 60
    assert [scene.update(p, float(t), none, none) for p, t in zip(pictures, times, strict=True)] == [[]] * 180


def test_the_same_pictures_give_the_same_report(still):
    pictures = [still] * 40 + [bag(still)] * 40
    assert look(pictures) == look(pictures)
