from safecity.steady_clock import BELIEVE_SECONDS, SteadyClock


class Clocks:
    """A machine whose wall clock is set by hand."""

    def __init__(self) -> None:
        self.gone = 0.0
        self.error = 0.0
        self.steady = SteadyClock(lambda: 1_000_000.0 + self.gone + self.error, lambda: 50.0 + self.gone)

    def after(self, seconds: float) -> float:
        """What the steady clock has moved on by, all told."""
        self.gone += seconds
        return round(self.steady.time() - 1_000_000.0, 3)


def test_it_is_the_wall_clock_while_that_is_adjusted_little_by_little():
    clocks = Clocks()
    for step in (0.3, 0.9, -0.2, -0.8):
        clocks.error += step
        assert clocks.after(10.0) == round(clocks.gone + clocks.error, 3)


def test_a_jump_that_is_mended_is_never_seen():
    for jump in (3600.0, -3600.0, -1e9):
        clocks = Clocks()
        clocks.after(5.0)
        clocks.error = jump
        assert clocks.after(1.0) == 6.0
        assert clocks.after(BELIEVE_SECONDS - 1.0) == round(clocks.gone, 3)
        clocks.error = 0.0
        assert clocks.after(0.1) == round(clocks.gone, 3)
        clocks.error = jump
        assert clocks.after(BELIEVE_SECONDS - 1.0) == round(clocks.gone, 3), "counted anew"


def test_a_jump_that_lasts_is_followed():
    clocks = Clocks()
    clocks.error = -3600.0
    assert clocks.after(1.0) == 1.0
    assert clocks.after(BELIEVE_SECONDS) == clocks.gone - 3600.0
    assert clocks.after(1.0) == clocks.gone - 3600.0
    assert clocks.steady.now().timestamp() == 1_000_000.0 + clocks.gone - 3600.0
