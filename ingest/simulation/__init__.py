"""A city of scripted cameras: real outboxes and publishers, a real Kafka, a real centre, measured."""
