"""``python -m tests.chaos``: seeds, one after the other; a table, the logs, exit code 1 when one is bad."""

import argparse
import json
import sys
import tempfile
import time
import traceback
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.chaos.city import ChaosCity, chaos_city
from tests.chaos.clock import compiler
from tests.chaos.faults import plan
from tests.chaos.isolation import is_isolated, run_isolated, switch_link
from tests.chaos.listener import wait_until
from tests.chaos.verdict import Verdict, share

HEAL_SECONDS = 120.0
"""So long may a city, on a busy machine, need to be itself again."""
RESUME_SECONDS = 15.0
"""The promise: the cameras of a dead worker go on within this, at the 95th percentile."""


def main(arguments: list[str]) -> int:
    """Run what is asked for."""
    asked = _parse(arguments)
    if compiler() is None:
        sys.exit("chaos builds what sets a worker's clock, and there is no cc: apt-get install gcc libc6-dev")
    if not is_isolated():
        return run_isolated(arguments)
    verdicts = []
    console = Console()
    for seed in range(asked.first, asked.first + asked.seeds):
        try:
            verdict = run_seed(seed, asked.seconds, asked.keep / f"seed-{seed}")
        except Exception as error:  # noqa: BLE001  one run that fails does not end the others
            traceback.print_exc()
            verdict = Verdict(seed, broken=f"the run failed: {type(error).__name__}: {error}")
        verdicts.append(verdict)
        _say(console, verdicts[-1])
    _show(console, verdicts, asked.keep)
    if asked.json:
        asked.json.write_text(json.dumps([asdict(verdict) for verdict in verdicts], indent=2))
    resumed = share([after for verdict in verdicts for after in verdict.resumed_after], 95)
    good = all(verdict.good for verdict in verdicts) and (resumed is None or resumed < RESUME_SECONDS)
    return 0 if good else 1


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--first", type=int, default=1, help="first seed (default: 1)")
    parser.add_argument("--seeds", type=int, default=1, help="how many (default: 1)")
    parser.add_argument("--seconds", type=float, default=40.0, help="of faults, a seed (default: 40)")
    parser.add_argument("--keep", type=Path, default=None, help="folder for the logs (default: a new one)")
    parser.add_argument("--json", type=Path, default=None, help="write the verdicts")
    asked = parser.parse_args(arguments)
    asked.keep = asked.keep or Path(tempfile.mkdtemp(prefix="safecity-chaos-"))
    return asked


def run_seed(seed: int, seconds: float, folder: Path) -> Verdict:
    """One city, its faults, and what came of it. Logs stay in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    switch_link(up=True)
    with chaos_city(folder, seed) as city:
        try:
            _harm(city, seed, seconds)
            if not wait_until(lambda: city.centre.ready() and city.settled(), HEAL_SECONDS):
                city.note("not all of the city came back")
            # What a worker left in its outbox when it was killed is delivered once it runs again.
            if not city.everything_stored(HEAL_SECONDS):
                city.note("not all was stored in time")
            for worker in city.workers:
                city.note(f"worker ended with {worker.stop()}")
            if not city.everything_stored(HEAL_SECONDS):
                city.note("not all was stored after the end")
            verdict = city.verdict(seed)
        finally:
            (folder / "chaos.log").write_text("\n".join(city.log) + "\n")
        (folder / "verdict.json").write_text(json.dumps(asdict(verdict), indent=2))
    return verdict


def _harm(city: ChaosCity, seed: int, seconds: float) -> None:
    begin = time.monotonic()
    due = []
    for strike in plan(seed, seconds, len(city.workers)):
        due += [(strike.at, False, strike), (strike.at + strike.lasts, True, strike)]
    for at, mending, strike in sorted(due, key=lambda entry: entry[:2]):
        time.sleep(max(0.0, begin + at - time.monotonic()))
        (city.mend if mending else city.strike)(strike)
    time.sleep(8.0)
    city.recover()


def _say(console: Console, verdict: Verdict) -> None:
    for what in (*verdict.lost[:5], *verdict.duplicated[:5], *filter(None, [verdict.broken])):
        console.print(f"seed {verdict.seed}: {what}", style="red", highlight=False)


def _show(console: Console, verdicts: list[Verdict], keep: Path) -> None:
    table = Table("seed", "decided", "stored", "refused", "lost", "duplicated", "resumed p95 s")
    for verdict in verdicts:
        resumed = share(verdict.resumed_after, 95)
        table.add_row(
            str(verdict.seed), str(verdict.decided), str(verdict.stored), str(verdict.fenced),
            str(len(verdict.lost)), str(len(verdict.duplicated)), _seconds(resumed),
        )  # fmt: skip
    console.print(table)
    resumed = share([after for verdict in verdicts for after in verdict.resumed_after], 95)
    lost, twice = (sum(len(getattr(v, name)) for v in verdicts) for name in ("lost", "duplicated"))
    console.print(
        f"{lost} lost, {twice} duplicated, cameras of a killed worker resumed after "
        f"{_seconds(resumed)} s (p95); logs: {keep}",
        highlight=False,
        soft_wrap=True,
    )


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
