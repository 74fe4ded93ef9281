"""Twilio Programmable Messaging."""

from __future__ import annotations

import logging

from bellhop.domain.channels import Channel
from bellhop.domain.delivery_ports import Provider
from bellhop.providers.package import CallbackPath, Meaning, ProviderPackage, WordTable
from bellhop.providers.twilio import settings
from bellhop.providers.twilio.codes import STAGES
from bellhop.providers.twilio.overrides import OVERRIDES


def _adapter() -> Provider:
    from bellhop.providers.twilio.adapter import Twilio

    return Twilio()


PACKAGE = ProviderPackage(
    name="twilio",
    title="Twilio",
    adapter=_adapter,
    sdk=f"{__name__}.sdk",
    settings=settings.TwilioSettings,
    seeds=settings.seeds,
    callback_paths=(
        CallbackPath("status", "what became of a message"),
        CallbackPath(
            "inbound",
            "guests' messages",
            console="Twilio, at the number, as A message comes in",
            options=OVERRIDES,
        ),
        CallbackPath(
            "fallback",
            "guests' messages that could not be delivered at `inbound`",
            console="Twilio, at the number, as Primary handler fails",
            options=OVERRIDES,
            fallback=True,
        ),
    ),
    tables=(
        WordTable("Word", {word: Meaning(stage) for word, stage in STAGES.items()}, title="Twilio (`MessageStatus`)"),
    ),
    # Look-up parameters, which are numbers, at INFO.
    chatty_loggers={"twilio": logging.CRITICAL, "twilio.http_client": logging.CRITICAL},
    senders={Channel.SMS: settings.sms_sender, Channel.WHATSAPP: settings.whatsapp_sender},
    usual_rate=settings.usual_rate,
)
