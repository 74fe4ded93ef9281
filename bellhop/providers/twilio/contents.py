"""Twilio's Content API, read: whether WhatsApp has approved a template, and what its variables are called.

https://www.twilio.com/docs/content/content-api-resources
"""

from __future__ import annotations

from twilio.base.exceptions import TwilioException

from bellhop.domain.approved_templates import Approval, ApprovalStatus
from bellhop.domain.delivery_ports import Account, ProviderUnreachable
from bellhop.providers.lease_http import Call, Http
from bellhop.providers.reading import clean, from_json
from bellhop.providers.twilio.client import content_api

_MOST = 100
"""Variables of one template, the most there can be."""
_LONGEST = 500


def approval(http: Http, account: Account, content_sid: str, timeout: float) -> Approval:
    """What Twilio says of a template, in two calls. MISSING where the account has none of that id. Raises
    ProviderUnreachable."""
    try:
        found = _fetched(http, account, content_sid, timeout)
        if found is None:
            return Approval(ApprovalStatus.MISSING)
        with Call(timeout=timeout):
            asked = content_api(http, account).contents(content_sid).approval_fetch().fetch()
        said = asked.whatsapp if isinstance(asked.whatsapp, dict) else {}
        return Approval(
            _status(said.get("status")),
            tuple(clean(str(name)) for name in found)[:_MOST],
            _text(said.get("category")),
            _text(said.get("rejection_reason")),
        )
    except Exception as error:  # noqa: BLE001  what became of a question is all one
        raise ProviderUnreachable(type(error).__name__) from None


def _fetched(http: Http, account: Account, content_sid: str, timeout: float) -> list[str] | None:
    """The names of a template's variables; None: there is no such template."""
    with Call(timeout=timeout) as call:
        try:
            content = content_api(http, account).contents(content_sid).fetch()
        except TwilioException:
            if call.answer is None or call.answer.status != 404 or not _is_twilios(call.answer.body):
                raise
            return None
    if content.sid != content_sid or not isinstance(content.variables, dict | None):
        raise ProviderUnreachable("a 2xx that is not Twilio's")
    return list(content.variables or {})


def _is_twilios(body: bytes) -> bool:
    try:
        said = from_json(body)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("code") == 20404


def _status(word: object) -> ApprovalStatus:
    try:
        return ApprovalStatus(str(word)) if word else ApprovalStatus.UNSUBMITTED
    except ValueError:
        return ApprovalStatus.UNKNOWN


def _text(value: object) -> str | None:
    return clean(value)[:_LONGEST] if isinstance(value, str) and value else None
