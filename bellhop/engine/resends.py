"""Failed messages sent again, each as a new message that names the old one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import approved_templates, groups, media, options
from bellhop.domain.content import Content, written
from bellhop.domain.groups import Group
from bellhop.domain.ids import Prefix, render
from bellhop.domain.operators import Operator, OperatorAction
from bellhop.domain.routing import carried
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.scopes import Scope
from bellhop.domain.statuses import STATUS, Status
from bellhop.engine import files, links
from bellhop.engine.context import Engine
from bellhop.engine.errors import ChannelUnavailable, InvalidField, NoDevice, NotFailed, NotFound, ResentAlready
from bellhop.engine.idempotency import IdempotencyKey, Once
from bellhop.engine.messages import ACCEPTED, accepted_once
from bellhop.store.access import operator_actions
from bellhop.store.messages import media_links, outbound, steps
from bellhop.store.messages.outbound import NewMessage, NewStep
from bellhop.store.messages.steps import StepRow


async def resend(
    engine: Engine, scope: Scope, message_id: UUID, operator: Operator, key: IdempotencyKey | None = None
) -> Once[MessageRow]:
    """Send a failed message again, now: a new message with the text, address and guest of the old one, which it names.
    Whether it may go out is asked anew. Who did it and why stays on record.

    Raises NotFound, NotFailed, ResentAlready, ChannelUnavailable, NoDevice, InvalidField (a file of it is gone),
    IdempotencyMismatch, IdempotencySubjectGone; nothing is written then.
    """

    async def make(tx: AsyncConnection) -> Once[MessageRow]:
        old, again = await outbound.lock_failed(tx, scope, message_id)
        if old is None:
            raise NotFound
        if STATUS[old.shown] is not Status.FAILED:
            raise NotFailed(STATUS[old.shown])
        if again is not None:
            raise ResentAlready(render(Prefix.MESSAGE, again))
        try:
            new = _like(old, await steps.of_message(tx, old))
            uses = [one.use for one in media.of_stored((old.details or {}).get("media"))]
            if uses:
                new = await files.carried(engine, tx, scope, new, uses)
            linked = await links.again(engine, tx, scope, old, new)
            new = linked.new
            row = await outbound.accept(
                tx, scope, new, engine.book, carried(engine.providers), engine.delivery.valid_for
            )
            await linked.write(tx, row)
            if uses:
                await media_links.write(tx, row, new.content.media)
        except outbound.ChannelUnavailable as none:
            raise ChannelUnavailable(none.channel.value) from None
        except outbound.NoDevice:
            raise NoDevice from None
        except outbound.UnknownSender:
            # The sender that was asked for is no more.
            raise ChannelUnavailable(old.channel.value) from None
        await operator_actions.write(tx, scope, OperatorAction.RESEND, message_id, operator)
        return Once(row, row.id, ACCEPTED)

    return await accepted_once(engine, scope, key, make)


def _like(old: MessageRow, further: Sequence[StepRow]) -> NewMessage:
    assert old.recipient is not None and old.content is not None, "it is not erased"
    until = old.valid_until if old.validity is None else None
    return NewMessage(
        channel=old.channel,
        recipient=old.recipient,
        group=_group(old),
        content=_content(old, old.content),
        guest_id=old.guest_id,
        stay_id=old.stay_id if old.conversation_id else None,
        conversation_id=old.conversation_id,
        metadata=old.metadata,
        category=old.category,
        reference=old.reference,
        tags=tuple(old.tags),
        priority=old.priority,
        # One that is over does not keep it back: whoever sends it again wants it all the same.
        valid_until=until if until is not None and until > old.now else None,
        validity=old.validity,
        ignore_quiet_hours=old.ignore_quiet_hours,
        ignore_frequency_cap=old.ignore_frequency_cap,
        template=(old.details or {}).get("template"),
        resend_of=old.id,
        sender=old.sender,
        fallback=tuple(_step(old, step) for step in further),
    )


def _group(old: MessageRow) -> Group | None:
    """Whom it goes to again. Raises InvalidField."""
    group = groups.of_stored(old.details)
    if group is not None and group.left:
        raise InvalidField("message_id", "expected a message whose group is whole: a member was erased", "recipients")
    return None if group is None else Group(group.members, group.id)


def _content(said: MessageRow | StepRow, text: str) -> Content:
    details = said.details or {}
    return replace(
        written(said.channel, text, said.subject, said.content_type),
        media=media.of_stored(details.get("media")),
        options=options.of_stored(details.get("options")),
        approved=approved_templates.of_stored(said.body),
    )


def _step(old: MessageRow, said: StepRow) -> NewStep:
    planned = old.step_at(said.step)
    assert planned is not None and planned.when is not None, "each of them was planned"
    assert said.recipient is not None and said.content is not None, "it is not erased"
    return NewStep(
        channel=said.channel,
        recipient=said.recipient,
        content=_content(said, said.content),
        when=planned.when,
        after=planned.after,
        template=(said.details or {}).get("template"),
    )
