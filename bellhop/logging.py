"""Logs: JSON lines on standard output with ids, words and times. No personal data, no secrets."""

from __future__ import annotations

import logging
import sys

import structlog

from bellhop.providers import PACKAGES

CHATTY = ("urllib3", "sqlalchemy", "httpx2", "httpcore2")
"""They log URLs and statements' parameters at INFO or DEBUG; providers' SDKs are in their packages."""


def configure_logs(level: str, process: str) -> None:
    """Set up logging for this process, named on every line. Libraries that log guests' data are silenced."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stdout, format='{"logger":"%(name)s","event":"%(message)s"}')
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
