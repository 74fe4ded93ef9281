"""The providers Bellhop can send through: one file each, and this one explicit list."""

from __future__ import annotations

from bellhop.domain.delivery_ports import Provider
from bellhop.providers.sendgrid.adapter import SendGrid
from bellhop.providers.twilio.adapter import Twilio


def providers() -> dict[str, Provider]:
    """Every provider by name, each with connections of its own."""
    return {provider.name: provider for provider in (Twilio(), SendGrid())}


PROVIDERS: dict[str, Provider] = providers()
