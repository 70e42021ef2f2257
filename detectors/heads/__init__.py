"""Heads: one output layout a file, each with ``decode(outputs, card, floor) -> Detections``."""
