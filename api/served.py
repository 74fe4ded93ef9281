"""What uvicorn loads in each process that does nothing but serve the API."""

from __future__ import annotations

from fastapi import FastAPI

from api.app import create_app
from bellhop import memory


def app() -> FastAPI:
    """The app, and a garbage collector that looks at what stays no more."""
    made = create_app()
    memory.loaded()
    return made
