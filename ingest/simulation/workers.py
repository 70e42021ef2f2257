"""The simulated workers' processes."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from ingest.simulation.producer import DRAIN_SECONDS, Order
from safecity.bench.measure import ONE_THREAD, MeasureError
from safecity.demo.city import end_process


class Workers:
    """Started together, ended together.

    Args:
        orders: one for each.
        folder: for what they say.
    """

    def __init__(self, orders: Sequence[Order], folder: Path) -> None:
        self._orders, self._folder = orders, folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def begin(self) -> float:
        """When they begin to play, seconds since 1970."""
        return self._orders[0].begin

    @property
    def pids(self) -> dict[str, int]:
        """By name."""
        return {name: process.pid for name, process in self._processes.items()}

    @property
    def journals(self) -> list[Path]:
        """Files of what they have decided."""
        return [Path(order.journal) for order in self._orders]

    def __enter__(self) -> Self:
        for order in self._orders:
            self._processes[order.name] = self._start(order)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            end_process(process, 5.0)

    def check(self) -> None:
        """See that they all run.

        Raises:
            MeasureError: one has ended.
        """
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise MeasureError(f"{name} ended by itself:\n{self._words(name)}")

    def finish(self) -> list[dict[str, Any]]:
        """Ask them to hand over what they have, and give their accounts.

        Raises:
            MeasureError: one left none.
        """
        for process in self._processes.values():
            process.terminate()
        accounts = []
        for name, process in self._processes.items():
            try:
                process.wait(2 * DRAIN_SECONDS)
                accounts.append(json.loads((self._folder / f"{name}.json").read_text(encoding="utf-8")))
            except (subprocess.TimeoutExpired, ValueError):
                raise MeasureError(f"{name} left no account:\n{self._words(name)}") from None
        return accounts

    def _start(self, order: Order) -> "subprocess.Popen[bytes]":
        with (
            (self._folder / f"{order.name}.json").open("wb") as account,
            (self._folder / f"{order.name}.log").open("wb") as log,
        ):
            process = subprocess.Popen(
                [sys.executable, "-m", "ingest.simulation.producer"],
                stdin=subprocess.PIPE,
                stdout=account,
                stderr=log,
                # Ctrl-C is ours: what is under way is handed over, or ended, in order.
                start_new_session=True,
                env={**os.environ, **ONE_THREAD},
            )
        assert process.stdin is not None
        process.stdin.write(json.dumps(asdict(order)).encode())
        process.stdin.close()
        return process

    def _words(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")[-1500:]
