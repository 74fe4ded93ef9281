"""One run of the stack at a terminal: problems become one line, Ctrl-C stops everything, once."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from bellhop.dev.console import Console
from bellhop.dev.problems import StartProblem
from bellhop.dev.stack import EmbeddedStack

INTERRUPTED = 130


def run(stack: EmbeddedStack, console: Console, body: Callable[[EmbeddedStack], int]) -> int:
    """Start the stack, run `body` with it, stop it. Returns the exit code: the body's, a problem's, or INTERRUPTED.

    SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt inside the start or the body; while stopping they are ignored.
    """
    with _interruptible() as calm:
        try:
            stack.start()
            return body(stack)
        except StartProblem as problem:
            sys.stdout.flush()
            print(f"bellhop: {problem}", file=sys.stderr, flush=True)
            return problem.exit_code
        except KeyboardInterrupt:
            if not stack.took:  # while starting: what ran is stopped already
                console.say("Stopped before everything was up; nothing is left running")
            return INTERRUPTED
        finally:
            calm()
            if stack.pids.keys() - {"supervisor"}:
                with console.step("Stopping") as step:
                    stack.stop()
                    step.label = "Stopped; nothing is left running"
            else:
                stack.stop()


def stay(stack: EmbeddedStack) -> int:
    """The end of a body that leaves the stack running: waits until interrupted."""
    with suppress(KeyboardInterrupt):
        threading.Event().wait()
    return 0


@contextmanager
def _interruptible() -> Iterator[Callable[[], None]]:
    """Turn the signals that ask a program to end into one KeyboardInterrupt. Yields what silences further ones."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    ignoring = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal ignoring
        if not ignoring:
            ignoring = True
            raise KeyboardInterrupt

    def calm() -> None:
        nonlocal ignoring
        ignoring = True

    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield calm
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
