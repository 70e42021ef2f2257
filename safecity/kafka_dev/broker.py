"""Starts and stops the broker of a data folder; the folder knows what runs in it."""

import json
import os
import signal
import socket
import subprocess
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from safecity.bus._kafka_servers import Servers
from safecity.cli import UsageError
from safecity.free_port import free_port
from safecity.kafka_dev import security
from safecity.kafka_dev.runtime import find_jars, find_java
from safecity.kafka_dev.settings import write_logging, write_server_properties

START_SECONDS = 60.0
STOP_SECONDS = 30.0
HEAP = "384m"
_STATE = "broker.json"
_JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")

Progress = Callable[[str], None]


class BrokerError(Exception):
    """The broker did not start or stop; the message says why and where to look."""


@dataclass(frozen=True)
class Broker:
    """A broker that has been started."""

    port: int
    pid: int
    data: Path

    @property
    def address(self) -> str:
        """host:port for ``bootstrap_servers``."""
        return f"localhost:{self.port}"

    @property
    def secure(self) -> bool:
        """Whether it wants TLS and a user (:mod:`safecity.kafka_dev.security`)."""
        return security.is_secure(self.data)

    @property
    def servers(self) -> Servers:
        """How its administrator reaches it."""
        return security.servers(self.data, self.port) if self.secure else Servers((self.address,))


def start(
    port: int,
    data: Path,
    *,
    heap: str = HEAP,
    settled: bool = False,
    secure: bool = False,
    prefix: str = "safecity.",
    progress: Progress = lambda _: None,
    seconds: float = START_SECONDS,
) -> Broker:
    """Start a broker and wait until it answers.

    Args:
        port: on 127.0.0.1; 0 takes a free one.
        data: its folder; made and formatted when new. A folder keeps its port.
        heap: of the Java virtual machine, e.g. ``384m``.
        settled: all of that from the start, as production has it, so that nothing grows while it is measured.
        secure: with TLS, a user for each role, and ACLs. A folder that was made so stays so.
        prefix: secure: of the topics and groups that the roles may use.
        progress: told what goes on.
        seconds: how long to wait.

    Raises:
        UsageError: it runs already, the port is taken, Java or the extra is missing.
        BrokerError: it ended or does not answer.
    """
    data = data.resolve()
    port = _check_free(port, data)
    progress("looking for Java and the jars of Apache Kafka (45 MB the first time)")
    java, jars = find_java(), find_jars()
    data.mkdir(parents=True, exist_ok=True)
    is_new = not (data / "log" / "meta.properties").exists()
    if secure and not security.is_secure(data):
        if not is_new:
            raise UsageError(f"{data} belongs to a broker without security; give another --data")
        security.make(data)
    memory = [f"-Xmx{heap}", *([f"-Xms{heap}", "-XX:+AlwaysPreTouch"] if settled else [])]
    command = [str(java), *memory, *_JVM, *_prepare(port, data), "-cp", ":".join(map(str, jars))]
    if is_new:
        _format(command, data)
    progress(f"starting Apache Kafka on port {port}")
    with (data / "logs" / "console.log").open("ab") as console:
        process = subprocess.Popen(
            [*command, "kafka.Kafka", str(data / "server.properties")],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=data,
        )
    broker = Broker(port, process.pid, data)
    _write_state(broker)
    _wait_for_answer(broker, process, seconds)
    if is_new and broker.secure:
        security.allow(data, port, prefix)
    return broker


def stop(broker: Broker, *, seconds: float = STOP_SECONDS) -> None:
    """End the broker and wait until it is gone. It is asked first, and killed when it does not go.

    Raises:
        BrokerError: it is still there.
    """
    if is_running(broker):
        os.kill(broker.pid, signal.SIGTERM)
        if not _wait_until_gone(broker, seconds):
            os.kill(broker.pid, signal.SIGKILL)
            if not _wait_until_gone(broker, 5.0):
                raise BrokerError(f"the broker (pid {broker.pid}) does not end")


def running_broker(data: Path) -> Broker | None:
    """The broker that runs in a folder."""
    broker = last_broker(data)
    return broker if broker is not None and is_running(broker) else None


def last_broker(data: Path) -> Broker | None:
    """The broker that was last started in a folder, whether it runs or not."""
    try:
        state = json.loads((data.resolve() / _STATE).read_text(encoding="utf-8"))
        return Broker(int(state["port"]), int(state["pid"]), data.resolve())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BrokerError(f"{data / _STATE} cannot be read ({error}); remove it if no broker runs") from error


def is_running(broker: Broker) -> bool:
    """Whether the process is there and is the broker of that folder, not another that got its number."""
    _reap(broker.pid)
    try:
        command = Path(f"/proc/{broker.pid}/cmdline").read_bytes()
    except OSError:
        if Path("/proc/self").exists():
            return False
        run = subprocess.run(
            ["ps", "-o", "command=", "-p", str(broker.pid)], capture_output=True, check=False
        )
        command = run.stdout.replace(b" ", b"\0")
    return (
        b"kafka.Kafka" in command.split(b"\0") and os.fsencode(broker.data / "server.properties") in command
    )


def answers(port: int) -> bool:
    """Whether something takes connections on the port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return True
    except OSError:
        return False


def _check_free(port: int, data: Path) -> int:
    last = last_broker(data)
    if last is not None:
        if is_running(last):
            raise UsageError(
                f"a broker runs in {data} already, on port {last.port} (pid {last.pid}); "
                f"stop it with: safecity kafka stop --data {data}"
            )
        if port not in (0, last.port):
            raise UsageError(
                f"{data} belongs to a broker on port {last.port}; start it with --port {last.port}, "
                "or give another --data"
            )
        port = last.port
    elif data.exists() and any(data.iterdir()):
        raise UsageError(f"{data} is not empty and holds no broker; give another --data")
    port = port or free_port()
    if answers(port):
        raise UsageError(f"port {port} is in use; stop what listens there, or give another --port")
    return port


def _prepare(port: int, data: Path) -> list[str]:
    (data / "logs").mkdir(exist_ok=True)
    controller_port = free_port()
    secured = security.broker_settings(data, port, controller_port) if security.is_secure(data) else {}
    write_server_properties(data / "server.properties", port, controller_port, data / "log", secured)
    write_logging(data / "log4j2.yaml", data / "logs")
    return [f"-Dlog4j2.configurationFile={data / 'log4j2.yaml'}", f"-Dkafka.logs.dir={data / 'logs'}"]


def _format(command: list[str], data: Path) -> None:
    cluster = cluster_id(uuid.uuid4().bytes)
    tool = ["kafka.tools.StorageTool", "format", "--standalone", "-t", cluster]
    if security.is_secure(data):
        tool += security.format_options(data)
    run = subprocess.run(
        [*command, *tool, "-c", str(data / "server.properties")], capture_output=True, text=True, check=False
    )
    if run.returncode != 0:
        raise BrokerError(f"{data} could not be formatted: {(run.stderr or run.stdout).strip()[-500:]}")


def cluster_id(random: bytes) -> str:
    """Kafka's form of 16 random bytes: URL-safe base64 that never begins with "-", as an option would."""
    return urlsafe_b64encode(bytes([random[0] & 0x3F]) + random[1:]).decode().rstrip("=")


def _write_state(broker: Broker) -> None:
    temporary = broker.data / f"{_STATE}.new"
    temporary.write_text(json.dumps({"port": broker.port, "pid": broker.pid}) + "\n", encoding="utf-8")
    temporary.replace(broker.data / _STATE)


def _wait_for_answer(broker: Broker, process: "subprocess.Popen[bytes]", seconds: float) -> None:
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise BrokerError(f"the broker ended: {_last_words(broker.data)}")
        if answers(broker.port):
            try:
                options = {**broker.servers.connection(), "bootstrap_timeout_ms": 2000}
                KafkaAdminClient(**options).close()
            except KafkaError:
                continue
            return
        time.sleep(0.1)
    stop(broker, seconds=5.0)
    raise BrokerError(f"the broker did not answer in {seconds:g} s: {_last_words(broker.data)}")


def _last_words(data: Path) -> str:
    for name in ("server.log", "console.log"):
        path = data / "logs" / name
        if path.exists() and (
            lines := path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        ):
            return f"{lines[-1][-300:]} (more in {path})"
    return f"it said nothing; look into {data / 'logs'}"


def _wait_until_gone(broker: Broker, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_running(broker):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _reap(pid: int) -> None:
    # A broker that this process started stays a zombie until somebody asks for it.
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
