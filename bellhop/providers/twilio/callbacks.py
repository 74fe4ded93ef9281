"""Twilio's callbacks: who signed them, and what they say."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs, parse_qsl, urlparse, urlsplit, urlunsplit
from uuid import UUID

from twilio.request_validator import (
    HMAC_SHA1,
    HMAC_SHA256,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    add_port,
    remove_port,
)

from bellhop.domain.channels import Service, kind_of
from bellhop.domain.delivery_ports import Account, CallbackRequest, Inbound, Receipt
from bellhop.domain.failures import FailureCode
from bellhop.domain.inbound_details import MOST_MEDIA, Button, InboundDetails, Location, Media
from bellhop.domain.statuses import Stage
from bellhop.providers.reading import clean, from_json, uuid_of
from bellhop.providers.twilio import media
from bellhop.providers.twilio.codes import ANSWERED, CODES, OPT_OUT_TYPES, STAGES
from bellhop.providers.twilio.numbers import bare, channel_of, service_of

ALLOWED = "allowed"
"""As `token_signatures` of an account with a shared key: its auth token signs callbacks as well."""
_SETTINGS = SIGNATURE_SETTINGS_HEADER.lower()
_WENT = frozenset({Stage.SENT, Stage.DELIVERED, Stage.READ})
MOST_FIELDS = 256
"""Several times as many as Twilio's largest request has."""


class Form(dict[str, list[str]]):
    """Form fields with repeated names, as the SDK's validator reads them."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        for name, value in pairs:
            self.setdefault(name, []).append(value)

    def getlist(self, name: str) -> list[str]:
        """All values of a field."""
        return self[name]


def signed(account: Account, request: CallbackRequest) -> bool:
    """Whether a current or previous secret of the account signed it (twilio.com/docs/usage/webhooks/webhooks-security):
    its shared key, or without one its auth token. The URL is signed without its fragment. Of a form the fields are
    signed with it; of JSON the URL holds the body's hash, `bodySHA256`, and without that one nothing vouches for the
    body."""
    try:
        given = request.headers.get("x-twilio-signature", "").encode()
        if _is_json(request) and not _hashed(request):
            return False
        form = Form([] if _is_json(request) else _pairs(request))
        url = urlparse(urlunsplit(urlsplit(request.url)._replace(fragment="")))
        algorithm, secrets = _secrets(account, request.headers.get(_SETTINGS, ""))
        matches = [
            hmac.compare_digest(RequestValidator(secret).compute_signature(uri, form, algorithm).encode(), given)
            for secret in secrets
            # Twilio signs sometimes with the port and sometimes without; so does its own validator.
            for uri in (remove_port(url), add_port(url))
        ]
    except Exception:  # noqa: BLE001  junk is not signed by Twilio
        return False
    return any(matches)


def fields_of(request: CallbackRequest) -> dict[str, str]:
    """The form's fields, or those of a JSON object, as PostgreSQL can store them. Raises ValueError."""
    if _is_json(request):
        body = from_json(request.body)
        if not isinstance(body, dict):
            raise ValueError("not an object")
        return {clean(name): clean(_as_text(value)) for name, value in body.items()}
    try:
        return {clean(name): clean(value) for name, value in _pairs(request)}
    except UnicodeDecodeError:
        raise ValueError("not a form") from None


def _as_text(value: object) -> str:
    """A JSON value as a form would have it."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value)


def _is_json(request: CallbackRequest) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def _hashed(request: CallbackRequest) -> bool:
    """Whether the URL, which is signed, holds the hash of this body, once."""
    stated = parse_qs(urlsplit(request.url).query).get("bodySHA256", [])
    actual = hashlib.sha256(request.body).hexdigest()
    return len(stated) == 1 and hmac.compare_digest(stated[0].lower().encode(), actual.encode())


def _secrets(account: Account, said: str) -> tuple[str, list[str]]:
    """The algorithm, and what may have signed a request whose header of settings says this.

    That header is not itself signed: who leaves it out would have the older signature, by the auth token, tried. So an
    account with a shared key takes that one no more, unless it says so.
    """
    kept = (account.credentials, account.previous_credentials)
    if not said:
        refused = account.credentials.get("shared_key") and account.credentials.get("token_signatures") != ALLOWED
        return HMAC_SHA1, [] if refused else [one["auth_token"] for one in kept if one.get("auth_token")]
    named = {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in said.split(","))}
    if named.get("algorithm", "").upper() != HMAC_SHA256 or not (key_id := named.get("key")):
        return HMAC_SHA256, []
    keys = [one["shared_key"] for one in kept if one.get("shared_key_id") == key_id and one.get("shared_key")]
    return HMAC_SHA256, keys


def _pairs(request: CallbackRequest) -> list[tuple[str, str]]:
    """The form's fields in order. Empty ones count: they are signed. Raises UnicodeDecodeError,
    ValueError on more than Twilio would send."""
    return parse_qsl(request.body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)


def _required(fields: Mapping[str, str], *names: str) -> str:
    value = next((fields[name] for name in names if fields.get(name)), None)
    if value is None:
        raise ValueError(f"no {names[0]}: not a request of Twilio's")
    return value


def receipt(fields: Mapping[str, str], query: Mapping[str, str]) -> Receipt:
    """A status callback. Raises ValueError on what is none."""
    sid = _required(fields, "MessageSid", "SmsSid")
    word = _required(fields, "MessageStatus", "SmsStatus")
    number = fields.get("ErrorCode") or None
    service = service_of(fields.get("From"), chosen=bool(fields.get("MessagingServiceSid")))
    return fact(sid, word, number, uuid_of(query.get("attempt")), fields.get("To"), fields, service)


def fact(
    sid: str,
    word: str,
    number: str | None,
    attempt_id: UUID | None,
    to: str | None,
    payload: Mapping[str, object],
    service: Service | None,
) -> Receipt:
    """One word of Twilio's about one message, however it came: told or asked, it is the same fact under one key."""
    stage = STAGES.get(word)
    failed = stage is Stage.UNDELIVERED
    code = CODES.get(int(number)) if number and number.isdecimal() and len(number) < 9 else None
    effect = code.effect if code and failed else None
    return Receipt(
        dedupe_key=f"{sid}:{word}:{number or ''}",
        word=word,
        stage=stage,
        attempt_id=attempt_id,
        provider_id=sid,
        payload=dict(payload),
        code=(code.failure if code else FailureCode.UNDELIVERED) if failed else None,
        provider_code=number if failed else None,
        effect=effect,
        address=bare(to) if effect and to else None,
        address_kind=kind_of(channel_of(to), bare(to)) if effect and to else None,
        service=service if stage in _WENT else None,
    )


def inbound(fields: Mapping[str, str]) -> Inbound:
    """A guest's message. Raises ValueError on what is none."""
    sid = _required(fields, "MessageSid", "SmsSid")
    sender, recipient = _required(fields, "From"), _required(fields, "To")
    return Inbound(
        dedupe_key=f"{sid}:inbound",
        channel=channel_of(sender),
        sender=bare(sender),
        recipient=bare(recipient),
        text=fields.get("Body", ""),
        provider_id=sid,
        payload=dict(fields),
        effect=OPT_OUT_TYPES.get(fields.get("OptOutType", "")),
        answered=_answered(fields),
        service=fields.get("MessagingServiceSid"),
        details=_details(fields),
    )


def _answered(fields: Mapping[str, str]) -> bool:
    """Whether Twilio has answered it itself, as a keyword."""
    if fields.get("OptOutType") in OPT_OUT_TYPES:
        return True
    to = fields["To"]
    return to.startswith("+1") and len(to) == 12 and fields.get("Body", "").strip().upper() in ANSWERED


def _details(fields: Mapping[str, str]) -> InboundDetails:
    """What came with the text (twilio.com/docs/messaging/guides/webhook-request)."""

    def said(*names: str) -> str | None:
        return next((fields[name] for name in names if fields.get(name)), None)

    count = said("NumMedia") or ""
    listed = ((fields.get(f"MediaUrl{at}"), fields.get(f"MediaContentType{at}")) for at in range(MOST_MEDIA))
    text, payload = said("ButtonText", "ListTitle"), said("ButtonPayload", "ListId")
    return InboundDetails(
        media=tuple(Media(url, kind or None, media.id_of(url)) for url, kind in listed if url),
        media_count=int(count) if count.isascii() and count.isdigit() and len(count) < 4 else 0,
        button=Button(text, payload) if text or payload else None,
        location=_location(fields),
        profile_name=said("ProfileName"),
        profile_id=said("WaId", "ExternalUserId"),
        replied_to=said("OriginalRepliedMessageSid"),
    )


def _location(fields: Mapping[str, str]) -> Location | None:
    try:
        latitude, longitude = float(fields.get("Latitude", "")), float(fields.get("Longitude", ""))
    except ValueError:
        return None
    return Location(latitude, longitude, fields.get("Address") or None, fields.get("Label") or None)
