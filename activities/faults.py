"""What Temporal may learn of a failure: its kind. Texts can quote a guest's data: they stay out of histories (I6)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import structlog
from temporalio.exceptions import ApplicationError

log = structlog.get_logger()

P = ParamSpec("P")
R = TypeVar("R")


def redact_errors(activity: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Turn any exception of an activity into an ApplicationError that names only its type, without its cause."""

    @wraps(activity)
    async def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await activity(*args, **kwargs)
        except (asyncio.CancelledError, ApplicationError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, only its type may reach a history
            kind = type(error).__name__
            log.error(
                "activity failed; it will be tried again", activity=activity.__name__, error=kind, where=_where(error)
            )
        raise ApplicationError(f"{kind} in {activity.__name__}; the worker's log says more", type=kind) from None

    return wrapped


def _where(error: BaseException) -> str:
    """File and line of the innermost frame: enough to find a fault, nothing a guest said."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}"
