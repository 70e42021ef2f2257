"""Heads: one output layout a file, each with ``decode(outputs, size, floor) -> Detections``."""
