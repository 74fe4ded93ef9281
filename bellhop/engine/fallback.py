"""What follows a message that cannot arrive: each step fixed at acceptance, to whom and with what text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import addresses, unsubscribe
from bellhop.domain.addresses import BadAddress
from bellhop.domain.channels import CHANNELS, AddressKind, Channel, ChannelRules, SubjectRule, kind_of
from bellhop.domain.content import HTML, PLAIN, Content, written
from bellhop.domain.ids import Prefix, parse, render
from bellhop.domain.options import Options
from bellhop.domain.rows.guests import GuestRow
from bellhop.domain.scopes import Scope
from bellhop.domain.steps import When
from bellhop.domain.templates import TemplateUse
from bellhop.engine import templates
from bellhop.engine.errors import InvalidField, UnknownGuest
from bellhop.store.guests import profiles
from bellhop.store.messages.outbound import NewMessage, NewStep


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackStep:
    """A step as a caller asks for it: its fields checked and normalised, each by itself."""

    channel: Channel
    recipient: str | None = field(default=None, repr=False)
    """None: the message's own, where its channel has such addresses; else the guest's."""
    content: str | None = field(default=None, repr=False)
    """None: what `template` says, else what the message says."""
    content_type: str | None = None
    subject: str | None = field(default=None, repr=False)
    """None: the template's, else the message's."""
    template: TemplateUse | None = field(default=None, repr=False)
    options: Options | None = None
    """None: those of the message that its channel has."""
    when: When = When.FAILED
    after: float | None = None


async def new_steps(
    tx: AsyncConnection,
    scope: Scope,
    new: NewMessage,
    asked: Sequence[FallbackStep],
    template: TemplateUse | None,
) -> tuple[NewStep, ...]:
    """What follows `new`, whose text is of `template` if it is of one. Raises InvalidField, UnknownGuest."""
    guest: GuestRow | None = None
    if new.guest_id is not None:
        guest = await profiles.get(tx, scope, new.guest_id)
        if guest is None:
            raise UnknownGuest("guest_id")
    made: list[NewStep] = []
    for place, step in enumerate(asked):
        name = f"fallback.{place}"
        recipient = _recipient(step, new, guest, name)
        content, source = await _content(tx, scope, step, new, template, name)
        if content.media:
            content = replace(content, approved=None)
        elif CHANNELS[step.channel].window is not None and source is None:
            first = await templates.first_contact(tx, scope, content.text, new.guest_id)
            content = replace(content, approved=first.approved)
        made.append(
            NewStep(
                channel=step.channel,
                recipient=recipient,
                content=content,
                when=step.when,
                after=step.after,
                template=source,
            )
        )
    return tuple(made)


def address_of(guest: GuestRow, kind: AddressKind) -> str | None:
    """Where a guest is reached, of the addresses that their profile has; None: nowhere. Devices: all of theirs."""
    given = {
        AddressKind.PHONE: guest.phone,
        AddressKind.EMAIL: guest.email,
        AddressKind.GUEST: render(Prefix.GUEST, guest.id),
        AddressKind.DEVICE: render(Prefix.GUEST, guest.id),
    }.get(kind)
    try:
        return None if given is None else addresses.normalised(kind, given)
    except BadAddress:
        # A profile takes a number as it is known, which may be none to send to.
        return None


def _recipient(step: FallbackStep, new: NewMessage, guest: GuestRow | None, name: str) -> str:
    rules = CHANNELS[step.channel]
    if step.recipient is not None:
        addressed = rules.any_part and parse(Prefix.GUEST, step.recipient) is not None
        theirs = guest is not None and step.recipient == render(Prefix.GUEST, guest.id)
        if (rules.address is AddressKind.GUEST or addressed) and not theirs:
            raise UnknownGuest(f"{name}.recipient", "expected the guest of `guest_id`")
        return step.recipient
    if kind_of(new.channel, new.recipient) is kind_of(step.channel, new.recipient):
        return new.recipient
    found = None if guest is None else address_of(guest, rules.address)
    if found is None:
        expected = f"expected a recipient: {rules.name} goes to an address that the guest has not, or no guest is named"
        raise InvalidField(f"{name}.recipient", expected, "recipient_required")
    return found


async def _content(
    tx: AsyncConnection, scope: Scope, step: FallbackStep, new: NewMessage, template: TemplateUse | None, name: str
) -> tuple[Content, dict[str, object] | None]:
    """What it says, and of which template that is."""
    rules = CHANNELS[step.channel]
    used = step.template or (template if step.content is None else None)
    if used is not None:
        prefix = f"{name}." if step.template else ""
        try:
            made = await templates.used(tx, scope, used, new.guest_id)
        except InvalidField as wrong:
            raise InvalidField(prefix + wrong.field, wrong.expected, wrong.kind) from None
        if unsubscribe.named_in(made.content) and not rules.unsubscribes:
            expected = f"expected a template without `unsubscribe_url`: {rules.name} has no such link"
            raise InvalidField(f"{prefix}template.name", expected, "template")
        text = replace(written(step.channel, made.content, made.subject, made.content_type), approved=made.approved)
        return _fitting(step, rules, text, new, name), dict(made.source)
    if step.content is None:
        return _fitting(step, rules, new.content, new, name), None
    return _fitting(step, rules, written(step.channel, step.content, None, step.content_type), new, name), None


def _fitting(step: FallbackStep, rules: ChannelRules, said: Content, new: NewMessage, name: str) -> Content:
    """A text as the step's channel takes it: without HTML where that is not shown, with a subject where it has one."""
    if said.content_type == HTML and not rules.html:
        said = Content(text=said.plain or said.text, content_type=PLAIN)
    said = replace(
        said,
        options=step.options or new.content.options.among(rules.options),
        media=rules.media.fitting(new.content.media) if rules.media else (),
    )
    if rules.subject is SubjectRule.NONE:
        return replace(said, subject=None)
    subject = step.subject or said.subject or new.content.subject
    if subject is None and rules.subject is SubjectRule.REQUIRED:
        expected = f"expected a subject: {rules.name} needs one"
        raise InvalidField(f"{name}.subject", expected, "subject_required")
    return replace(said, subject=subject)
