"""A guest texts one of an account's numbers: Twilio's inbound webhook, and its default opt-out keywords."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from uuid import uuid4

from bellhop.sandbox import segments
from bellhop.sandbox.account_registry import TwilioAccount
from bellhop.sandbox.providers.twilio import overrides
from bellhop.sandbox.providers.twilio.messages import API_VERSION
from bellhop.sandbox.state import State
from bellhop.sandbox.store import Message, now

# The whole text, in any case: "Stop please" does not count.
# https://help.twilio.com/articles/223134027-Twilio-support-for-opt-out-keywords-SMS-STOP-filtering-
OPT_OUT = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
OPT_IN = frozenset({"START", "YES", "UNSTOP"})


@dataclass(slots=True)
class Inbound:
    """What the app made of it: `status` None when it could not be asked."""

    sid: str
    status: int | None
    body: str
    detail: str
    opt_out: bool | None = None
    tries: int = field(default=1)


async def receive(
    state: State, account: TwilioAccount, sender: str, to: str, body: str, extra: dict[str, str]
) -> Inbound:
    """Apply the keywords, store the text, post it to the app and wait for the answer."""
    word = body.strip().upper()
    opt_out = True if word in OPT_OUT else False if word in OPT_IN else None
    if opt_out is not None:
        state.store.set_opt_out(account.sid, to, sender, opt_out)
    sid, moment = "SM" + secrets.token_hex(16), now()
    message = Message(
        provider="twilio",
        id=sid,
        account=account.sid,
        recipient=to,
        sender=sender,
        content=body,
        status="received",
        accepted_at=moment,
        sent_at=moment,
        direction="inbound",
        parts=segments.count(body),
    )
    state.accept([(message, [])])
    url = state.settings.twilio_inbound_url
    if not url:
        return Inbound(sid, None, "", "no twilio_inbound_url is set", opt_out, 0)
    fields = {
        "ToCountry": "US",
        "ToState": "",
        "SmsMessageSid": sid,
        "NumMedia": "0",
        "ToCity": "",
        "FromZip": "",
        "SmsSid": sid,
        "FromState": "",
        "SmsStatus": "received",
        "FromCity": "",
        "Body": body,
        "FromCountry": "US",
        "To": to,
        "ToZip": "",
        "NumSegments": str(message.parts),
        "MessageSid": sid,
        "AccountSid": account.sid,
        "From": sender,
        "ApiVersion": API_VERSION,
        **extra,
    }
    token, (_, how) = str(uuid4()), overrides.split(url)
    tries = 0
    while True:
        outcome, answer, text = await state.post.twilio_call(account.sid, url, fields, token)
        if outcome == "ok" or not how.retry(outcome, tries):
            break
        await asyncio.sleep(state.settings.twilio_retry_pause * 2**tries)
        tries += 1
    return Inbound(sid, int(answer) if answer.isdecimal() else None, text, answer, opt_out, tries + 1)
