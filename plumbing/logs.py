"""What the processes say about themselves: structured, in UTC, on stderr, without secrets."""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal

import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from plumbing.redact import redact_url
from plumbing.tracing import is_tracing, trace_id_of

_NOISY = ("httpx", "httpcore", "asyncio", "aiosqlite", "uvicorn", "alembic")


def get_logger(name: str) -> BoundLogger:
    """A logger: ``log.info("camera is live", camera_id=...)``."""
    logger: BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def configure_logging(
    level: Literal["debug", "info", "warning", "error"] = "info",
    format: Literal["console", "json"] = "console",  # noqa: A002 - the settings' own word
    role: str = "",
) -> None:
    """Set up logging for this process; libraries' own records go the same way.

    Args:
        level: the least level shown; chatty libraries are held one level higher.
        format: lines for people, or one JSON object a line.
        role: stands in every record.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        _role_adder(role),
        _add_trace_id,
        # Exceptions become text here, before secrets are hidden, and without local variables.
        structlog.processors.format_exc_info,
        hide_secrets,
    ]
    renderer: Processor
    if format == "json":
        renderer = structlog.processors.JSONRenderer(default=str)
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[*shared, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    least = logging.getLevelNamesMapping()[level.upper()]
    root.setLevel(least)
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(least, logging.WARNING))
    # Uvicorn brings handlers of its own unless told otherwise.
    for name in ("uvicorn", "uvicorn.error", "uvicorn", "alembic"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.captureWarnings(capture=True)


def hide_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A structlog processor: `redact_url` on every text of a record, however deep."""
    return {key: value if key.startswith("_") else _hidden(value) for key, value in event.items()}


def _hidden(value: Any) -> Any:
    if isinstance(value, str):
        return redact_url(value)
    if isinstance(value, dict):
        return {key: _hidden(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_hidden(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact_url(str(value))


def _until_configured() -> None:
    """Before `configure_logging`, warnings and worse go to standard error as plain lines.

    Structlog's own default is standard output, which belongs to what commands print.
    """
    structlog.configure(
        processors=[
            structlog.processors.format_exc_info,
            hide_secrets,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _role_adder(role: str) -> Processor:
    def add(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        if role:
            event.setdefault("role", role)
        return event

    return add


def _add_trace_id(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    if "report_id" in event and is_tracing():
        event["trace_id"] = trace_id_of(event["report_id"])
    return event


if not structlog.is_configured():
    _until_configured()
