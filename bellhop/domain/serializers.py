"""The public objects: a row as the API and the webhooks show it, one form for both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from bellhop.domain import choosing, content, groups, inbound_details, media, segments, short_links, steps
from bellhop.domain.approved_templates import state_of
from bellhop.domain.channels import CHANNELS, Service
from bellhop.domain.devices import masked
from bellhop.domain.failures import error_object
from bellhop.domain.ids import Prefix, optional, render
from bellhop.domain.rows.access import KeyRow, OperatorActionRow, PropertyRow
from bellhop.domain.rows.delivery import AccountSummary
from bellhop.domain.rows.guests import DeviceRow, GuestRow
from bellhop.domain.rows.media import AssetRow
from bellhop.domain.rows.messages import PublicMessage
from bellhop.domain.rows.stays import StayRow
from bellhop.domain.rows.templates import TemplateRow
from bellhop.domain.rows.webhooks import DeliveryRow, DeliveryState, EndpointRow
from bellhop.domain.segments import Segments
from bellhop.domain.statuses import STATUS, Stage


def timestamp(at: datetime | None) -> str | None:
    """RFC 3339 in UTC at one fixed width (microseconds, `Z`), so that text order is time order."""
    # Not strftime, whose `%Y` has three digits for the year 999.
    return None if at is None else at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def message(
    row: PublicMessage, *, stage: Stage | None = None, failure: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The OutboundMessage object.

    `stage` and `failure` show the message as it was when an event was told rather than as it is now.
    """
    shown = stage or row.shown
    metadata = dict(row.metadata or {})
    if shown in (Stage.GAVE_UP, Stage.UNDELIVERED):
        error = failure or {"code": row.failure_code, "provider_code": row.provider_code}
        if error.get("code"):
            metadata["error"] = error_object(error["code"], error.get("provider_code")) | groups.refused(row.details)
    return {
        "id": render(Prefix.MESSAGE, row.id),
        "property_id": render(Prefix.PROPERTY, row.property_id),
        "guest_id": row.guest_ref,
        "channel": row.channel.value,
        "status": STATUS[shown].value,
        "recipient": row.recipient if (group := groups.shown(row.details))["recipients"] is None else None,
        "subject": row.subject,
        "content": row.content,
        "scheduled_at": timestamp(row.scheduled_at),
        "sent_at": timestamp(row.sent_at),
        "created_at": timestamp(row.created_at),
        "metadata": metadata,
        "priority": row.priority.value,
        "category": row.category.value,
        "valid_until": timestamp(row.valid_until),
        **{name: getattr(row, name) for name in ("validity", "ignore_quiet_hours", "ignore_frequency_cap")},
        **_billed(row),
        "template": (row.details or {}).get("template"),
        "options": (row.details or {}).get("options"),
        **short_links.shown(row.details),
        "media": media.shown((row.details or {}).get("media")),
        "resend_of": optional(Prefix.MESSAGE, row.resend_of),
        "from": row.sender,
        "fallback": [_step(step) for step in (row.plan or ())[1:]],
        "service": row.service.value if row.service else None,
        "was_downgraded": was_downgraded(row, row.step, row.service),
        "chosen": choosing.shown(row.details),
        "conversation_id": optional(Prefix.CONVERSATION, row.conversation_id),
        "stay_id": optional(Prefix.STAY, row.stay_id),
        **group,
    }


def was_downgraded(row: PublicMessage, number: int, service: Service | None) -> bool | None:
    """Whether one of its steps went by something plainer than its channel is meant for; None: nobody says by what."""
    planned = row.step_at(number)
    meant = CHANNELS[planned.channel if planned else row.channel].service
    return None if service is None or meant is None else service is not meant


def _step(kept: Mapping[str, Any]) -> dict[str, Any]:
    """A further step of a message, as it was asked for."""
    return {name: kept[name] for name in ("channel", "when", "after")}


def step(row: PublicMessage, number: int, facts: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What an event of a message with further steps is about: one of them; 0: the message as it is sent first. `facts`:
    of the event that it begins, which says why."""
    planned = row.step_at(number)
    channel = planned.channel if planned else row.channel
    shown: dict[str, Any] = {"number": number, "channel": channel.value, "cost": CHANNELS[channel].cost.value}
    if facts is not None and facts.get("because") == steps.NOT_READ["code"]:
        shown["reason"] = steps.NOT_READ
    elif facts is not None and facts.get("code"):
        shown["reason"] = error_object(facts["code"], facts.get("provider_code"))
    return shown


def _billed(row: PublicMessage) -> dict[str, Any]:
    """How many segments a text is, where that is asked: not of one with files, nor of one that is erased."""
    counted = _segments(row)
    return {"segments": counted.count if counted else None, "encoding": counted.encoding.value if counted else None}


def _segments(row: PublicMessage) -> Segments | None:
    if not CHANNELS[row.channel].segmented or row.content is None or (row.details or {}).get("media"):
        return None
    return segments.of_texts(content.parts(row.channel, row.content))


def accepted(row: PublicMessage) -> dict[str, Any]:
    """The OutboundMessage object in answer to a send, with `warnings` where there are any."""
    counted = _segments(row)
    said = segments.warnings(row.content or "", counted) if counted else []
    said += steps.warnings([steps.read(step) for step in row.plan or ()])
    return {**message(row), **({"warnings": said} if said else {})}


def inbound(row: PublicMessage) -> dict[str, Any]:
    """The InboundMessage object: what a guest wrote to the property (`message.received`)."""
    return {
        "id": render(Prefix.INBOUND, row.id),
        "property_id": render(Prefix.PROPERTY, row.property_id),
        "guest_id": optional(Prefix.GUEST, row.guest_id),
        "conversation_id": optional(Prefix.CONVERSATION, row.conversation_id),
        "stay_id": optional(Prefix.STAY, row.stay_id),
        "channel": row.channel.value,
        "sender": row.sender,
        "recipient": row.recipient,
        "subject": row.subject,
        "content": row.content,
        **inbound_details.shown(row.details),
        "sent_at": timestamp(row.sent_at),
        "created_at": timestamp(row.created_at),
    }


def guest(row: GuestRow) -> dict[str, Any]:
    """The Guest object."""
    return {
        "id": render(Prefix.GUEST, row.id),
        "property_id": render(Prefix.PROPERTY, row.property_id),
        "first_name": row.first_name,
        "last_name": row.last_name,
        "email": row.email,
        "phone": row.phone,
        "language": row.language,
        "timezone": row.timezone,
        "preferences": row.preferences,
        "metadata": row.metadata,
        "external_id": row.external_id,
        "is_active": row.is_active,
        "is_provisional": row.is_provisional,
        "first_seen_at": timestamp(row.first_seen_at),
        "last_seen_at": timestamp(row.last_seen_at),
        "created_at": timestamp(row.created_at),
        "updated_at": timestamp(row.updated_at),
    }


def stay(row: StayRow) -> dict[str, Any]:
    """The Stay object."""
    return {
        "id": render(Prefix.STAY, row.id),
        "property_id": render(Prefix.PROPERTY, row.property_id),
        "source": row.source,
        "reservation": row.reservation,
        "status": row.status,
        "arrival": row.arrival.isoformat() if row.arrival else None,
        "departure": row.departure.isoformat() if row.departure else None,
        "room": row.room,
        "guests": [render(Prefix.GUEST, guest_id) for guest_id in row.guests],
        "details": row.details,
        "created_at": timestamp(row.created_at),
        "updated_at": timestamp(row.updated_at),
    }


def endpoint(row: EndpointRow, *, secret: bool = False) -> dict[str, Any]:
    """The Endpoint object. `secret`: with what its deliveries are signed with, for those who may change it."""
    return {
        "id": render(Prefix.ENDPOINT, row.id),
        "property_id": render(Prefix.PROPERTY, row.property_id),
        "url": row.url,
        "secret": (row.secret or None) if secret else None,
        "events": ",".join(row.events),
        "is_active": row.is_active,
        "created_at": timestamp(row.created_at),
        "description": row.description,
        "disabled_at": timestamp(row.disabled_at),
        "disabled_reason": row.disabled_reason,
        "format": row.format.value,
    }


def disabled_endpoint(row: EndpointRow, reason: str | None, at: datetime) -> dict[str, Any]:
    """What the other endpoints are told of one that was disabled: as it was then, and without its secret."""
    shown = endpoint(replace(row, is_active=False, disabled_reason=reason, disabled_at=at))
    return {name: shown[name] for name in ("id", "property_id", "url", "is_active", "disabled_reason", "disabled_at")}


def template(row: TemplateRow) -> dict[str, Any]:
    """The Template object."""
    return {
        "id": render(Prefix.TEMPLATE, row.id),
        "property_id": render(Prefix.PROPERTY, row.property_id),
        "name": row.name,
        "locale": row.locale,
        "version": row.version,
        "subject": row.subject,
        "content": row.content,
        "content_type": row.content_type,
        "parameters": row.parameters,
        "whatsapp": _whatsapp(row),
        "created_at": timestamp(row.created_at),
        "archived_at": timestamp(row.archived_at),
    }


def _whatsapp(row: TemplateRow) -> dict[str, Any] | None:
    """As which approved template it goes out on WhatsApp, and how that stands."""
    mapped = row.mapped
    if mapped is None:
        return None
    approval, checked_at = state_of(row.approval) or (None, None)
    return {
        "content_sid": mapped.content_sid,
        "variables": dict(mapped.variables),
        "status": approval.status.value if approval else None,
        "category": approval.category if approval else None,
        "rejection_reason": approval.rejection_reason if approval else None,
        "problem": mapped.problem(approval),
        "checked_at": timestamp(checked_at),
    }


def asset(row: AssetRow) -> dict[str, Any]:
    """The Asset object."""
    return {
        "id": render(Prefix.ASSET, row.id),
        "content_type": row.content_type,
        "size": row.size,
        "sha256": row.sha256.hex(),
        "filename": row.filename,
        "guest_id": optional(Prefix.GUEST, row.guest_id),
        "created_at": timestamp(row.created_at),
        "expires_at": timestamp(row.expires_at),
    }


def delivery(row: DeliveryRow) -> dict[str, Any]:
    """The Delivery object: one event owed to one endpoint."""
    return {
        "id": render(Prefix.DELIVERY, row.id),
        "endpoint_id": render(Prefix.ENDPOINT, row.endpoint_id),
        "event_id": render(Prefix.EVENT, row.event_id),
        "event_type": row.event_type,
        "state": row.state.value,
        "attempts": row.attempts,
        "next_attempt_at": timestamp(row.next_at) if row.state is DeliveryState.PENDING else None,
        "last_attempt_at": timestamp(row.last_attempt_at),
        "last_status": row.last_status,
        "last_error": row.last_error,
        "delivered_at": timestamp(row.delivered_at),
        "created_at": timestamp(row.created_at),
    }


def event(event_id: UUID, kind: str, property_id: UUID, created_at: datetime, data: dict[str, Any]) -> dict[str, Any]:
    """What an endpoint receives: an event of a type (`kind`), with the object it is about as `data`."""
    return {
        "id": render(Prefix.EVENT, event_id),
        "type": kind,
        "property_id": render(Prefix.PROPERTY, property_id),
        "created_at": timestamp(created_at),
        "data": data,
    }


def api_key(row: KeyRow) -> dict[str, Any]:
    """The Key object, without its secret."""
    return {
        "id": render(Prefix.KEY, row.id),
        "property_id": render(Prefix.PROPERTY, row.property_id),
        "name": row.name,
        "environment": row.environment,
        "scopes": row.rights,
        "last4": row.last4,
        "side": row.side.value,
        "rate_limit": row.rate_limit,
        "created_at": timestamp(row.created_at),
        "last_used_at": timestamp(row.last_used_at),
        "expires_at": timestamp(row.expires_at),
        "revoked_at": timestamp(row.revoked_at),
    }


def minted_key(row: KeyRow, raw: str) -> dict[str, Any]:
    """The MintedKey object: a new key with its secret (`raw`), shown this once."""
    return {**api_key(row), "key": raw}


def property_(row: PropertyRow) -> dict[str, Any]:
    """The Property object."""
    return {
        "id": render(Prefix.PROPERTY, row.id),
        "name": row.name,
        "slug": row.slug,
        "type": row.type,
        "timezone": row.timezone,
        "currency": row.currency,
        "country": row.country,
        "settings": row.settings,
        "is_active": row.is_active,
        "created_at": timestamp(row.created_at),
        "updated_at": timestamp(row.updated_at),
        "paused_at": timestamp(row.paused_at),
    }


def account(row: AccountSummary, environment: str) -> dict[str, Any]:
    """The Account object: a provider account that messages go through. No secrets."""
    return {
        "id": render(Prefix.ACCOUNT, row.id),
        "environment": environment,
        "provider": row.provider,
        "identity": row.identity,
        "health": row.health,
        "held_since": timestamp(row.held_since),
        "held_code": row.held_code,
        "waiting": row.waiting,
        "rotating": row.rotating,
        "senders": [
            {"channel": one.channel.value, "address": one.address, "name": one.name, "used": one.is_default}
            for one in row.senders
        ],
    }


def device(row: DeviceRow) -> dict[str, Any]:
    """The Device object: of its token the end alone."""
    return {
        "id": render(Prefix.DEVICE, row.id),
        "guest_id": render(Prefix.GUEST, row.guest_id),
        "platform": row.platform.value,
        "kind": row.kind.value,
        "token": masked(row.token),
        "environment": row.environment.value if row.environment else None,
        "bundle_id": row.bundle_id,
        "locale": row.locale,
        "app_version": row.app_version,
        "registered_at": timestamp(row.registered_at),
        "suppressed_at": timestamp(row.suppressed_at),
        "created_at": timestamp(row.created_at),
    }


def operator_action(row: OperatorActionRow) -> dict[str, Any]:
    """What somebody did by hand."""
    return {
        "at": timestamp(row.created_at),
        "environment": row.environment,
        "action": row.action.value,
        "actor": row.actor,
        "reason": row.reason,
    }


def erased(prefix: Prefix, key: UUID, property_id: UUID) -> dict[str, Any]:
    """What is left of a subject whose guest was erased: ids only."""
    return {"id": render(prefix, key), "property_id": render(Prefix.PROPERTY, property_id)}
