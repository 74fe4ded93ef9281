"""The providers Bellhop can send through: a folder each, and this one explicit list."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from bellhop.domain.delivery_ports import Provider
from bellhop.providers.package import ProviderPackage

FOLDERS = (
    "twilio",
    "sendgrid",
    "sendblue",
    "fcm",
    "apns",
)
"""In a test scope the first that carries a channel leads it."""

PACKAGES: tuple[ProviderPackage[Any], ...] = tuple(import_module(f"{__name__}.{name}").PACKAGE for name in FOLDERS)


@cache
def providers() -> Mapping[str, Provider]:
    """Every provider by name: one set for the process, since an adapter keeps connections."""
    return {package.name: package.provider() for package in PACKAGES}


def load_sdks() -> None:
    """Import what adapters call their providers with, half a second's work and 20 MB: for processes that send, before
    the first message. Elsewhere each is imported with the first call, if there ever is one."""
    for package in PACKAGES:
        if package.sdk:
            import_module(package.sdk)
