"""Serves the API: `python -m api`. Where it listens and what strangers may cost are settings; options say otherwise."""

from __future__ import annotations

import argparse
import sys

import uvicorn

from api import server
from bellhop.settings import SettingsError, load


def main() -> None:
    """Until SIGTERM or SIGINT."""
    try:
        settings = load()
    except SettingsError as problem:
        sys.exit(str(problem))
    parser = argparse.ArgumentParser(prog="python -m api", description="Serve Bellhop's API.")
    parser.add_argument("--host", default=settings.bellhop.host, help="address to listen on (BELLHOP_HOST)")
    parser.add_argument("--port", type=int, default=settings.bellhop.port, help="port to listen on (BELLHOP_PORT)")
    parser.add_argument("--workers", type=int, default=1, help="processes (1)")
    parser.add_argument("--root-path", default="", help="path a proxy cuts off before it passes a request on")
    parser.add_argument("--graceful", type=int, help="seconds requests may take to end once asked to stop (no limit)")
    given = parser.parse_args()
    server.allow_files(settings.api.max_connections)
    uvicorn.run(
        "api.app:create_app",
        factory=True,
        host=given.host,
        port=given.port,
        workers=given.workers,
        root_path=given.root_path,
        timeout_graceful_shutdown=given.graceful,
        **server.options(settings.api),
    )


if __name__ == "__main__":
    main()
