"""What processes use, as Linux tells: processor time and memory, with all their children's."""

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """Of a process and its children, at one moment."""

    cpu_seconds: float
    """User and system time since the start; of children that have ended too."""
    memory_bytes: int
    """Private memory that is resident. Not what is shared or mapped from files: that is no growth."""


def usage_of(pid: int) -> Usage | None:
    """What a process and its children use; None when it is gone."""
    try:
        cpu = _cpu_seconds(pid)
        memory = _private_bytes(pid)
        children = _children(pid)
    except OSError:
        return None
    for child in children:
        used = usage_of(child)
        if used is not None:
            cpu, memory = cpu + used.cpu_seconds, memory + used.memory_bytes
    return Usage(cpu, memory)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / _TICKS


def _private_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in _read(task / "children").split()]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
