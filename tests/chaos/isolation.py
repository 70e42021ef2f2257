"""A network and file systems of the run's own: a link is cut, a disk is full, and nothing else feels it.

Linux namespaces, by util-linux' ``unshare``: as root, or with namespaces for users.
"""

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
INSIDE = "SAFECITY_CHAOS_ISOLATED"
DISK = "size=24m"


def command() -> list[str] | None:
    """What comes before a command for it to run in namespaces of its own; None: not possible here."""
    program = shutil.which("unshare")
    if program is None:
        return None
    options = [] if os.geteuid() == 0 else ["--map-root-user"]
    words = [program, "--net", "--mount", *options]
    done = subprocess.run([*words, "true"], capture_output=True, check=False)
    return words if done.returncode == 0 else None


def is_isolated() -> bool:
    """Whether this process runs in namespaces of its own."""
    return os.environ.get(INSIDE) == "1"


def run_isolated(arguments: list[str]) -> int:
    """Run ``python -m tests.chaos`` with these arguments in namespaces of its own; its exit code."""
    words = command()
    if words is None:
        sys.exit(
            "chaos needs network and mount namespaces of its own: run it as root, or allow user namespaces "
            "(sysctl kernel.unprivileged_userns_clone=1), and install util-linux"
        )
    # What has to be fetched is fetched before: inside there is no way out.
    from safecity.kafka_dev.runtime import find_jars

    find_jars()
    done = subprocess.run(
        [*words, sys.executable, "-m", "tests.chaos", *arguments],
        env={**os.environ, INSIDE: "1"},
        check=False,
    )
    return done.returncode


def switch_link(*, up: bool) -> None:
    """Let the loopback of this namespace carry packets, or not. Connections stay, and wait."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(probe, SIOCGIFFLAGS, request))[1]
        flags = flags | IFF_UP if up else flags & ~IFF_UP
        fcntl.ioctl(probe, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags))


def mount_disk(folder: Path) -> None:
    """A small disk of its own at ``folder``; gone with the namespace."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", DISK, "chaos", str(folder)], check=True)


def fill_disk(folder: Path) -> Path:
    """A file that takes all that is left; remove it to mend the disk."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 16))
        except OSError:
            return filler
