"""Faults on purpose: seeded runs of a whole city, and what came of every event that was decided."""
