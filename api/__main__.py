"""Serves the API: `python -m api`. Where it listens and what strangers may cost are settings; options say otherwise."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import NoReturn
from urllib.parse import urlsplit

import uvicorn

from api import server
from bellhop.settings import Settings, SettingsError, load


def main() -> None:
    """Until SIGTERM or SIGINT."""
    try:
        settings = load()
    except SettingsError as problem:
        sys.exit(str(problem))
    given = _options(settings)
    server.allow_files(settings.api.max_connections)
    uvicorn.run(
        "api.served:app",
        factory=True,
        host=given.host,
        port=given.port,
        workers=given.workers,
        root_path=given.root_path,
        timeout_graceful_shutdown=given.graceful,
        **server.options(settings.api),
    )


class _OneLine(argparse.ArgumentParser):
    """What is wrong is one line that names the option, as with `bellhop`."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _options(settings: Settings) -> argparse.Namespace:
    parser = _OneLine(prog="python -m api", description="Serve Bellhop's API.")
    parser.add_argument("--host", default=settings.bellhop.host, help="address to listen on (BELLHOP_HOST)")
    parser.add_argument(
        "--port", type=_whole(0, 65_535), default=settings.bellhop.port, help="port to listen on (BELLHOP_PORT)"
    )
    parser.add_argument("--workers", type=_whole(1, 256), default=1, help="processes (1)")
    parser.add_argument(
        "--root-path", type=_path, default="", help="path a proxy cuts off before it passes a request on"
    )
    parser.add_argument(
        "--graceful", type=_whole(0, 86_400), help="seconds requests may take to end once asked to stop (no limit)"
    )
    return parser.parse_args()


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"expected a whole number from {least} to {most}, not {text!r}")
        return number

    return read


def _path(text: str) -> str:
    if text and (not text.startswith("/") or urlsplit(text).path != text):
        raise argparse.ArgumentTypeError(f"expected a path such as /bellhop, not {text!r}")
    return text.rstrip("/")


if __name__ == "__main__":
    main()
