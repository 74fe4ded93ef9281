"""A guest texts one of an account's numbers: Twilio's inbound webhook, and its default opt-out keywords."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag

from pydantic import BaseModel, ConfigDict, Field

from bellhop.sandbox import kept_files, segments
from bellhop.sandbox.callback_sender import Answer
from bellhop.sandbox.kept_files import GuestFile
from bellhop.sandbox.providers.twilio import whatsapp
from bellhop.sandbox.providers.twilio.accounts import FROM_NUMBER, TwilioAccount
from bellhop.sandbox.providers.twilio.messages import API_VERSION
from bellhop.sandbox.store import Message, now

if TYPE_CHECKING:
    from bellhop.sandbox.providers.twilio.simulator import Twilio

# The whole text, in any case: "Stop please" does not count.
# https://help.twilio.com/articles/223134027-Twilio-support-for-opt-out-keywords-SMS-STOP-filtering-
OPT_OUT = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
OPT_IN = frozenset({"START", "YES", "UNSTOP"})

NOT_ANSWERED, NOT_CONNECTED = "11200", "11205"
"""Twilio's codes of a webhook that failed: HTTP retrieval failure, HTTP connection failure."""


class InboundRequest(BaseModel):
    """A guest's text. `media`: the content types of files with it, e.g. image/jpeg; `files`: further ones, with what is
    in them. `fields` are added to what Twilio
    would post (e.g. OptOutType, ButtonText)."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    sender: str = Field(alias="from")
    to: str = FROM_NUMBER
    body: str
    account_sid: str | None = Field(default=None, description="which account, if several own the number")
    media: list[str] = Field(default=[], max_length=10)
    files: list[GuestFile] = Field(default=[], max_length=10)
    fields: dict[str, str] = {}


async def receive(twilio: Twilio, account: TwilioAccount, asked: InboundRequest) -> dict[str, Any]:
    """Apply the keywords, store the text, post it to the app and wait for the answer. Returns what the app made of it:
    `status` None when it could not be asked."""
    word = asked.body.strip().upper()
    opt_out = True if word in OPT_OUT else False if word in OPT_IN else None
    if opt_out is not None:
        twilio.state.store.set_opt_out(account.sid, asked.to, asked.sender, opt_out)
    sent = [*(GuestFile(type=kind) for kind in asked.media), *asked.files]
    sid, moment = ("MM" if sent else "SM") + secrets.token_hex(16), now()
    message = Message(
        provider=twilio.name,
        id=sid,
        account=account.sid,
        recipient=asked.to,
        sender=asked.sender,
        content=asked.body,
        status="received",
        accepted_at=moment,
        sent_at=moment,
        direction="inbound",
        parts=segments.count(asked.body),
    )
    fields = _fields(message) | _media_fields(message, [one.type for one in sent]) | asked.fields
    files = [at for at in range(10) if f"MediaUrl{at}" in fields]
    message.detail = {
        "service": fields.get("MessagingServiceSid"),
        "media": [fields[f"MediaUrl{at}"] for at in files],
        "media_types": [fields.get(f"MediaContentType{at}", "") for at in files],
        "sent": kept_files.keep_sent(twilio.state.store, sid, sent),
    }
    twilio.state.accept([(message, [])])
    answer, tries, fallback_tries = await _post(twilio, account, fields)
    return {
        "sid": sid,
        "status": int(answer.shown) if answer.shown.isdecimal() else None,
        "body": answer.body,
        "detail": answer.shown,
        "opt_out": opt_out,
        "tries": tries,
        "fallback_tries": fallback_tries,
    }


async def _post(twilio: Twilio, account: TwilioAccount, fields: dict[str, str]) -> tuple[Answer, int, int]:
    """The last answer, and how often either address was called: the fallback one when the first did not answer well."""
    url, fallback = twilio.settings.twilio_inbound_url, twilio.settings.twilio_inbound_fallback_url
    if not url:
        return Answer("ct", "no twilio_inbound_url is set", ""), 0, 0
    answer, tries = await twilio.webhooks.deliver(account.sid, url, fields)
    if answer.outcome == "ok" or not fallback:
        return answer, tries, 0
    # https://www.twilio.com/docs/usage/security/availability-reliability
    wrong = {"ErrorCode": NOT_CONNECTED if answer.outcome == "ct" else NOT_ANSWERED, "ErrorUrl": urldefrag(url).url}
    answer, fallback_tries = await twilio.webhooks.deliver(account.sid, fallback, fields | wrong)
    return answer, tries, fallback_tries


def _media_fields(message: Message, types: list[str]) -> dict[str, str]:
    where = f"https://api.twilio.com/{API_VERSION}/Accounts/{message.account}/Messages/{message.id}/Media"
    fields = {"NumMedia": str(len(types))} if types else {}
    for at, kind in enumerate(types):
        fields |= {f"MediaUrl{at}": f"{where}/ME{secrets.token_hex(16)}", f"MediaContentType{at}": kind}
    return fields


def _whatsapp_fields(sender: str) -> dict[str, str]:
    """A guest's profile. One who shows no number has an id instead."""
    if not sender.startswith(whatsapp.PREFIX):
        return {}
    address = sender.removeprefix(whatsapp.PREFIX)
    if whatsapp.is_user_id(address):
        return {"ProfileName": "A guest", "ExternalUserId": address}
    return {"ProfileName": "A guest", "WaId": address.removeprefix("+")}


def _fields(message: Message) -> dict[str, str]:
    return _whatsapp_fields(message.sender) | {
        "ToCountry": "US",
        "ToState": "",
        "SmsMessageSid": message.id,
        "NumMedia": "0",
        "ToCity": "",
        "FromZip": "",
        "SmsSid": message.id,
        "FromState": "",
        "SmsStatus": "received",
        "FromCity": "",
        "Body": message.content,
        "FromCountry": "US",
        "To": message.recipient,
        "ToZip": "",
        "NumSegments": str(message.parts),
        "MessageSid": message.id,
        "AccountSid": message.account,
        "From": message.sender,
        "ApiVersion": API_VERSION,
    }
