"""A bounded store that fills up is told at each level once, and anew after it has had room again."""

from ingest.fill_level import FillLevel


def test_each_level_is_told_once_on_the_way_up():
    level = FillLevel()
    shares = (0.1, 0.49, 0.5, 0.6, 0.79, 0.85, 0.94, 0.97, 1.2)
    assert [level.rises_to(s) for s in shares] == [None, None, 0.5, None, None, 0.8, None, 0.95, None]


def test_a_jump_tells_the_highest_level_only():
    level = FillLevel()
    assert level.rises_to(0.99) == 0.95
    assert level.rises_to(0.99) is None


def test_what_swings_about_a_level_is_told_again_only_after_there_was_room():
    level = FillLevel()
    assert level.rises_to(0.55) == 0.5
    assert not level.clears(0.45)
    assert level.rises_to(0.55) is None
    assert level.clears(0.3)
    assert not level.clears(0.3)
    assert level.rises_to(0.55) == 0.5
