"""Recorded footage through a camera's whole analysis, in event time; rules over what was observed."""
