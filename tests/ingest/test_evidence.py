"""Pictures of events: encoded only when wanted, the best one kept, nothing kept for what is over."""

from ingest.evidence import EvidencePictures
from safecity.rules.loitering import Settings as Loitering
from safecity.rules.zone_entered import Settings as ZoneEntered
from safecity.ruleset import RuleSet
from tests.safecity.rules.scenes import IN, SCENE, observe, track


class Lens:
    """Takes a picture that says when it was taken, and counts."""

    def __init__(self) -> None:
        self.now = 0
        self.taken = 0

    def take(self) -> bytes:
        self.taken += 1
        return f"jpeg of {self.now}".encode()


def watch(rule, heights):
    rules, pictures, lens, decisions = RuleSet([rule], SCENE), EvidencePictures(), Lens(), []
    for n, height in enumerate(heights):
        lens.now = n
        tracks = [] if height is None else [track(IN, size=(height / 2, height))]
        decisions += pictures.illustrate(rules.update(observe(n * 0.2, *tracks)), lens.take)
    return decisions, lens.taken, pictures


def test_the_best_picture_comes_with_a_revision_of_its_own_name():
    best = ZoneEntered(name="r", zone="yard", persistence_seconds=0, evidence="best")
    (first, second), taken, pictures = watch(best, [0.1, 0.1, 0.3, 0.1] + [None] * 30)
    assert (first.picture, second.picture) == (b"jpeg of 0", b"jpeg of 2")
    names = [decision.event.snapshot for decision in (first, second)]
    assert names == [f"{first.event.event_id}-{revision}.jpg" for revision in (1, 2)]
    assert taken == 2
    assert (pictures._kept, pictures._sent) == ({}, {})


def test_a_last_revision_without_a_better_picture_names_the_one_that_was_sent():
    stay = Loitering(name="r", zone="yard", dwell_seconds=1, gap_seconds=1)
    (opened, closed), taken, pictures = watch(stay, [0.2] * 10 + [None] * 20)
    assert opened.event.snapshot == closed.event.snapshot
    assert closed.picture is None
    assert taken == 1
    assert (pictures._kept, pictures._sent) == ({}, {})


def test_where_the_first_picture_is_enough_no_other_is_taken():
    first = ZoneEntered(name="r", zone="yard", persistence_seconds=0)
    decisions, taken, pictures = watch(first, [0.1, 0.2, 0.4] + [None] * 30)
    assert (len(decisions), taken, pictures._sent) == (1, 1, {})


def test_a_picture_is_taken_once_a_frame_whatever_wants_it():
    rules = RuleSet(
        [ZoneEntered(name=f"r{n}", zone="yard", persistence_seconds=0, evidence="best") for n in range(4)],
        SCENE,
    )
    pictures, lens = EvidencePictures(), Lens()
    for n, height in enumerate((0.1, 0.4)):
        rulings = rules.update(observe(n * 0.2, track(IN, size=(height / 2, height))))
        pictures.illustrate(rulings, lens.take)
    assert lens.taken == 2
