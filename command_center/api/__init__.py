"""The HTTP API under ``/api/v1``, one kind of thing a module."""
