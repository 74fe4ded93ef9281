"""What is WhatsApp's own at the simulated Twilio: who may be written to freely, and what templates make of variables.

https://www.twilio.com/docs/whatsapp/key-concepts, https://www.twilio.com/docs/content/using-variables-with-content-api
"""

from __future__ import annotations

import json
import re
from typing import Any

from bellhop.sandbox.providers.twilio import scenarios
from bellhop.sandbox.providers.twilio.contents import Content
from bellhop.sandbox.providers.twilio.errors import Refused
from bellhop.sandbox.scenarios import Step
from bellhop.sandbox.store import Message, Store

PREFIX = "whatsapp:"
MOST_VARIABLES, LONGEST_KEY, LONGEST_VALUE = 100, 16, 1_600
LONGEST_TEXT = 1_024
"""Of a template with its values (error 63021)."""
_USER_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")
_ODD_SPACES = re.compile(r"[\n\r\t]| {5,}")
_PLACE = re.compile(r"\{\{\s*([A-Za-z0-9_]{1,16})\s*\}\}")
_NOT_APPROVED = {"rejected": 63040, "paused": 63041, "disabled": 63041}


def is_user_id(text: str) -> bool:
    """Whether an address is that of a guest who shows no number."""
    return _USER_ID.fullmatch(text) is not None


def variables_of(text: str) -> dict[str, Any]:
    """The variables of a create call. Raises Refused as Twilio would."""
    try:
        given = json.loads(text) if text else {}
    except ValueError:
        raise Refused(21656) from None
    if not isinstance(given, dict) or len(given) > MOST_VARIABLES:
        raise Refused(21656)
    for name, value in given.items():
        if not isinstance(value, str) or not value or len(name) > LONGEST_KEY or len(value) > LONGEST_VALUE:
            raise Refused(21656)
    return given


def rendered(content: Content, given: dict[str, Any]) -> str:
    """What the guest reads. What is not given is the template's sample value: nobody is told."""
    return _PLACE.sub(lambda found: str(given.get(found[1], content.variables.get(found[1], ""))), content.body)


def is_open(store: Store, message: Message, seconds: float) -> bool:
    """Whether the guest has written to this sender within that time."""
    where = (
        ("provider =", "twilio"),
        ("account =", message.account),
        ("direction =", "inbound"),
        ("sender =", message.recipient),
        ("recipient =", message.sender or None),
        ("accepted_at >", message.accepted_at - seconds),
    )
    found, _ = store.messages(where, limit=1)
    return bool(found)


def steps(
    message: Message, content: Content | None, given: dict[str, Any], *, free: bool, out: bool
) -> tuple[Step, ...]:
    """What becomes of a message: all that is wrong with it is said later, in a callback. `free`: within the window;
    `out`: the guest has said STOP to this sender."""
    code = 63014 if out else None if content is None else _refused(content, message.content, given, free)
    if code is None and content is None and not free:
        code = 63016
    return scenarios.CHAT if code is None else (Step("failed", code),)


def _refused(content: Content, text: str, given: dict[str, Any], free: bool) -> int | None:
    if any(_ODD_SPACES.search(value) for value in given.values()):
        return 63005
    if len(text) > LONGEST_TEXT:
        return 63021
    if free or content.status == "approved":
        return None
    return _NOT_APPROVED.get(content.status, 63016)
