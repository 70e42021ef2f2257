"""Structured logs: readable in a terminal, JSON on request, nothing secret in either."""

import logging
import sys
from typing import Any

import structlog

from safecity.redaction import redact_log


def configure_logging(*, json: bool = False, level: str = "info") -> None:
    """Set up structlog, and send the standard library's loggers the same way, to standard error."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact_log,
    ]
    renderer = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # kafka-python is left to the bus: every failure of it comes back as an error of ours.
    for noisy in ("libav", "uvicorn.access", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
