"""Sendblue: iMessage, with RCS or SMS where the guest's phone has no iMessage."""

from __future__ import annotations

import logging

from bellhop.domain.addresses import phone
from bellhop.domain.channels import Channel
from bellhop.domain.delivery_ports import Provider
from bellhop.providers.package import CallbackPath, Meaning, ProviderPackage, WordTable
from bellhop.providers.sendblue import settings
from bellhop.providers.sendblue.codes import STAGES


def _adapter() -> Provider:
    from bellhop.providers.sendblue.adapter import Sendblue

    return Sendblue()


PACKAGE = ProviderPackage(
    name="sendblue",
    title="Sendblue",
    adapter=_adapter,
    sdk=f"{__name__}.sdk",
    settings=settings.SendblueSettings,
    seeds=settings.seeds,
    senders={Channel.IMESSAGE: phone},
    callback_paths=(
        CallbackPath("status", "what became of a message"),
        CallbackPath("inbound", "guests' messages", console="Sendblue, as a webhook of the type receive"),
    ),
    tables=(WordTable("Word", {word: Meaning(stage) for word, stage in STAGES.items()}, title="Sendblue (`status`)"),),
    # Whole requests, texts and numbers with them, at DEBUG.
    chatty_loggers={
        "sendblue_api": logging.CRITICAL,
        "sendblue_api._base_client": logging.CRITICAL,
        "httpx": logging.CRITICAL,
    },
)
