"""A city of scripted cameras: the worker's real outbox and publisher, a real Kafka, a real centre, measured."""
