"""A real single-node Apache Kafka for development and tests, from PyPI packages alone."""

from safecity.kafka_dev.broker import Broker, BrokerError, is_running, running_broker, start, stop

__all__ = ["Broker", "BrokerError", "is_running", "running_broker", "start", "stop"]
