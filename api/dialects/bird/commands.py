"""Bird's requests as the engine's commands."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from api.dialects.bird.schemas import LATEST, Body, CreateMessage, ListMessages, Template
from bellhop.domain.categories import Category
from bellhop.domain.formats import bird
from bellhop.domain.media import MediaUse
from bellhop.domain.paging import PageRequest
from bellhop.domain.short_links import ShortLinks
from bellhop.domain.statuses import Stage
from bellhop.engine.contacts import ToContact
from bellhop.engine.line_messages import Project, SendFromLine, Span, WhichOfLine

VALID_FOR, CODES_VALID_FOR = 129_600, 600
"""Seconds for which a message is of use that does not say it; a code for logging in."""
_USE_CASES = {
    "marketing": Category.MARKETING,
    "promotional": Category.MARKETING,
    "transactional": Category.TRANSACTIONAL,
    "conversational": Category.CONVERSATIONAL,
    "2fa": Category.TWO_FACTOR,
    "otp": Category.TWO_FACTOR,
    "authentication": Category.TWO_FACTOR,
}
"""`meta.extraInformation.useCase` → what a message is for; without one it is transactional."""


def command_of(body: CreateMessage) -> SendFromLine:
    """What a request asks for."""
    (contact,) = body.receiver.contacts
    connector = body.sender.connector if body.sender else None
    category = _category(body.meta or {})
    usual = CODES_VALID_FOR if category is Category.TWO_FACTOR else VALID_FOR
    return SendFromLine(
        to=ToContact(contact.id, contact.identifier_value),
        sender=connector.identifier_value if connector else None,
        sender_id=connector.id if connector else None,
        content=_text(body.body) if body.body else None,
        media=_media(body.body) if body.body else (),
        project=_project(body.template) if body.template else None,
        scheduled_at=body.scheduled_for,
        validity=body.validity or usual,
        category=category,
        ignore_quiet_hours=bool(body.ignore_quiet_hours),
        capped=bool(body.cap_frequency),
        short_links=_short_links(body),
        link_tracking=body.enable_link_tracking,
        reference=body.reference,
        tags=tuple(body.tags or ()),
        metadata=_kept(body),
    )


def _category(meta: dict[str, Any]) -> Category:
    word = (meta.get("extraInformation") or {}).get("useCase")
    return _USE_CASES.get(word.lower(), Category.TRANSACTIONAL) if isinstance(word, str) else Category.TRANSACTIONAL


def _short_links(body: CreateMessage) -> ShortLinks | None:
    """A template has its own. What does not say whether is as the property has it."""
    asked = body.template.short_links if body.template else body.short_links
    return None if asked is None or asked.enabled is None else ShortLinks(asked.enabled, asked.domain)


def _text(body: Body) -> str:
    """What the guest reads: a title stands above, where a link leads below."""
    said = body.text or body.image or body.file
    assert said is not None, "its type names one of them"
    title = said.metadata.subject if said.metadata else None
    buttons = [f"{one.link.text}: {one.link.url}" for one in (body.text.actions or ())] if body.text else []
    return "\n".join(line for line in (title, said.text, *buttons) if line)


def _media(body: Body) -> tuple[MediaUse, ...]:
    if body.image is not None:
        return tuple(MediaUse(url=one.media_url) for one in body.image.images)
    if body.file is not None:
        return tuple(
            MediaUse(url=one.media_url, content_type=one.content_type, filename=one.filename) for one in body.file.files
        )
    attached = (body.text.attachments or ()) if body.text else ()
    return tuple(MediaUse(url=one.media_url, filename=one.filename) for one in attached)


def _project(template: Template) -> Project:
    given = {one.key: one.value for one in template.parameters or ()}
    version = template.version
    return Project(
        id=template.project_id,
        version=None if version == LATEST or not isinstance(version, UUID) else version,
        locale=template.locale,
        parameters={**(template.variables or {}), **given},
    )


def _kept(body: CreateMessage) -> dict[str, Any]:
    """What no field of ours has, as its clients see it again."""
    given = body.model_dump(mode="json", by_alias=True, exclude_none=True)
    template = given.get("template")
    own = {
        name: given.get(name)
        for name in (
            "reference", "meta", "tags", "replyTo", "notification", "capFrequency", "enableLinkTracking", "shortLinks",
        )
    }  # fmt: skip
    if template is not None:
        own["shortLinks"] = template.get("shortLinks")
    own["template"] = template
    if body.body is not None and (body.body.text is None or set(given["body"]["text"]) != {"text"}):
        # The text of the message alone does not say it.
        own["body"] = given["body"]
    return bird.kept(own)


def which(asked: ListMessages, page: PageRequest) -> WhichOfLine:
    """What a list asks for."""
    return WhichOfLine(
        outbound=None if asked.direction is None else asked.direction == bird.OUTGOING,
        batch=str(asked.batch_id) if asked.batch_id else None,
        created=Span(asked.start_at, asked.end_at),
        ascending=asked.reverse,
        page=page,
        **({} if asked.status is None else _OF_STATUS[asked.status]),
    )


_OF_STATUS: dict[str, dict[str, Any]] = {
    bird.ACCEPTED: {"stages": [Stage.QUEUED], "tried": False, "scheduled": False, "received": False},
    bird.SCHEDULED: {"stages": [Stage.QUEUED], "tried": False, "scheduled": True, "received": False},
    bird.PROCESSING: {"stages": [Stage.QUEUED], "tried": True, "received": False},
    bird.SENT: {"stages": [Stage.SENT], "received": False},
    bird.DELIVERED: {"stages": [Stage.DELIVERED, Stage.READ]},
    bird.DELIVERY_FAILED: {"stages": [Stage.UNDELIVERED], "received": False},
    bird.SENDING_FAILED: {"stages": [Stage.GAVE_UP], "codes": bird.REJECTING, "others": True, "received": False},
    bird.REJECTED: {"stages": [Stage.GAVE_UP], "codes": bird.REJECTING, "received": False},
    bird.DELETED: {"stages": [Stage.CANCELLED], "received": False},
}
"""Status → which messages have it: as `bird.status_of` says it of one."""
