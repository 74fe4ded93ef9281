"""The providers Bellhop can send through: a folder each, and this one explicit list."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from bellhop.domain.delivery_ports import Provider
from bellhop.providers import apns, fcm, sendblue, sendgrid, twilio
from bellhop.providers.package import ProviderPackage

PACKAGES: tuple[ProviderPackage[Any], ...] = (
    twilio.PACKAGE,
    sendgrid.PACKAGE,
    sendblue.PACKAGE,
    fcm.PACKAGE,
    apns.PACKAGE,
)


@cache
def providers() -> Mapping[str, Provider]:
    """Every provider by name: one set for the process, since an adapter keeps connections. Imports the SDKs."""
    return {package.name: package.provider() for package in PACKAGES}
