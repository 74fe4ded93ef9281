"""Logs: JSON lines on standard output with ids, words and times. No personal data, no secrets."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

import structlog

from bellhop.providers import PACKAGES

CHATTY = ("urllib3", "sqlalchemy", "httpx2", "httpcore2", "anthropic", "openai")
"""They log URLs, bodies and statements' parameters at INFO or DEBUG; providers' SDKs are in their packages."""


class JsonLines(logging.Formatter):
    """What libraries log, in the form of our own lines: one JSON object each, whatever it says. Of an exception its
    type and place, and of a text of several lines the first: the rest may quote what was sent."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "process": self._process,
            "logger": record.name,
            "event": record.getMessage().partition("\n")[0].strip(),
            "level": record.levelname.lower(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])[-6:]
            line["at"] = [f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno}" for frame in frames]
        return json.dumps(line, default=str)


def configure_logs(level: str, process: str) -> None:
    """Set up logging for this process, named on every line. Libraries that log guests' data are silenced."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(True)
    for name in list(root.manager.loggerDict):
        if name.partition(".")[0] == "uvicorn":
            # It has handlers of its own, which write plain text.
            own = logging.getLogger(name)
            own.handlers.clear()
            own.propagate = True
    chatty = dict.fromkeys(CHATTY, logging.WARNING)
    for package in PACKAGES:
        chatty |= package.chatty_loggers
    for name, lowest in chatty.items():
        logging.getLogger(name).setLevel(lowest)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
