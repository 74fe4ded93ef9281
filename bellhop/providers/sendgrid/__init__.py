"""Twilio SendGrid."""

from __future__ import annotations

import logging

from bellhop.domain.addresses import email
from bellhop.domain.channels import Channel
from bellhop.domain.delivery_ports import Provider
from bellhop.providers.package import CallbackPath, ProviderPackage, WordTable
from bellhop.providers.sendgrid import settings
from bellhop.providers.sendgrid.codes import EVENTS, REASONS


def _adapter() -> Provider:
    from bellhop.providers.sendgrid.adapter import SendGrid

    return SendGrid()


PACKAGE = ProviderPackage(
    name="sendgrid",
    title="SendGrid",
    adapter=_adapter,
    sdk=f"{__name__}.sdk",
    settings=settings.SendGridSettings,
    seeds=settings.seeds,
    senders={Channel.EMAIL: email},
    callback_paths=(
        CallbackPath(
            "events",
            "what became of messages, in batches",
            console="SendGrid, as another Event Webhook",
            most_bytes=8 * 1024 * 1024,
        ),
        CallbackPath(
            "inbound",
            "mails that guests write",
            console="SendGrid, as the destination of an Inbound Parse host, with a security policy that signs",
            # Of 30 MB for a mail, and of its text and HTML once more.
            most_bytes=40 * 1024 * 1024,
            on_disk=True,
            only_5xx=True,
        ),
    ),
    tables=(
        WordTable("Event", EVENTS, title="SendGrid (`event`)"),
        WordTable("Reason", REASONS, intro="The reason of `dropped` says more:"),
    ),
    # Whole payloads at DEBUG.
    chatty_loggers={
        "python_http_client": logging.CRITICAL,
        "python_http_client.client": logging.CRITICAL,
        "sendgrid": logging.WARNING,
    },
)
