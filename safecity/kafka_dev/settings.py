"""The files that a broker of ours is started with."""

from collections.abc import Mapping
from pathlib import Path

from safecity.bus._log import MAX_RECORD_BYTES

MESSAGE_BYTES = MAX_RECORD_BYTES + 1024 * 1024


def write_server_properties(
    path: Path, port: int, controller_port: int, logs: Path, security: Mapping[str, object]
) -> None:
    """KRaft, one node, reachable from this machine only; ``security`` goes over what is open otherwise."""
    settings: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller_port}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": logs,
        "auto.create.topics.enable": "false",
        "message.max.bytes": MESSAGE_BYTES,
        "replica.fetch.max.bytes": MESSAGE_BYTES,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "log.cleaner.dedupe.buffer.size": 4 * 1024 * 1024,
        **security,
    }
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")


def write_logging(path: Path, logs: Path) -> None:
    """Quiet: warnings and worse, in one file that is rolled over at 10 MB."""
    path.write_text(
        f"""Configuration:
  status: error
  Appenders:
    RollingFile:
      name: file
      fileName: "{logs}/server.log"
      filePattern: "{logs}/server.log.%i"
      PatternLayout:
        pattern: "%d %p %m (%c)%n"
      SizeBasedTriggeringPolicy:
        size: 10MB
      DefaultRolloverStrategy:
        max: 3
  Loggers:
    Root:
      level: warn
      AppenderRef:
        ref: file
    Logger:
      name: kafka.server.KafkaRaftServer
      level: info
""",
        encoding="utf-8",
    )
