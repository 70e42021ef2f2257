"""A line across the path, counted by the rule and by hand (see README.md beside this)."""

import numpy as np
import pytest

from safecity.demo.scenes import FOOTAGE, PATH
from safecity.rules import Scene
from safecity.rules.line_crossed import Settings as LineCrossed
from safecity.ruleset import RuleSet
from tests.footage.street import BEGIN, LENT, observations

BY_HAND = (
    *(
        (10, ">"),
        (73, "<"),
        (94, ">"),
        (171, "<"),
        (191, "<"),
        (234, "<"),
        (272, "<"),
        (295, "<"),
        (301, ">"),
    ),
    *(
        (308, "<"),
        (322, ">"),
        (335, ">"),
        (340, ">"),
        (380, "<"),
        (447, ">"),
        (505, "<"),
        (582, "<"),
        (659, "<"),
    ),
    *(
        (664, ">"),
        (685, ">"),
        (699, "<"),
        (728, "<"),
        (731, ">"),
        (765, "<"),
        (773, ">"),
        (777, ">"),
        (784, "<"),
    ),
)
SIGNS = {"left_to_right": "<", "right_to_left": ">"}


def counted(count):
    path = LENT if LENT.exists() else FOOTAGE
    scene = Scene("street", "0" * 16, {}, {"path": np.array([PATH["start"], PATH["end"]])})
    rules = RuleSet([LineCrossed(name="count", line="path", count=count)], scene)
    return [event for observation in observations(path) for event in rules.update(observation).events]


def test_the_rule_counts_as_a_person_does():
    events = counted("every")
    assert abs(len(events) - len(BY_HAND)) <= 1
    for sign in "<>":
        told = [e for e in events if SIGNS[e.attributes["direction"]] == sign]
        assert abs(len(told) - sum(wanted == sign for _, wanted in BY_HAND)) <= 1


@pytest.mark.parametrize(("frame", "sign"), BY_HAND[::3])
def test_each_is_told_within_a_second(frame, sign):
    told = {
        round((e.occurred_at - BEGIN).total_seconds() * 10) + 1
        for e in counted("every")
        if SIGNS[e.attributes["direction"]] == sign
    }
    assert min(abs(frame - other) for other in told) <= 10


def test_each_track_counts_once_in_each_direction():
    events = counted("once")
    keys = [(e.tracks[0].track_id, e.attributes["direction"]) for e in events]
    assert len(set(keys)) == len(keys) <= len(BY_HAND)
