"""Backends: one inference engine a file, each with ``build(card) -> Backend``."""
