"""What can stop the embedded stack from starting: errors whose text is the one line a person needs."""

from __future__ import annotations


class StartProblem(Exception):
    """The stack can't start. The message says what is wrong and what to do; no traceback is wanted."""

    exit_code = 1


class PortTaken(StartProblem):
    """Somebody else listens on a port the stack needs."""

    exit_code = 2


class NoSuchAddress(StartProblem):
    """What the API is to listen on is no address of this machine."""

    exit_code = 2


class AlreadyRunning(StartProblem):
    """Another stack runs in the same state directory."""

    exit_code = 2


class NoTemporalServer(StartProblem):
    """Every way of getting a Temporal server failed."""


class PartFailed(StartProblem):
    """A process of the stack didn't come up; the message carries the last lines of its log."""
