"""Whether templates that a channel's owner approves are approved: asked at the provider, kept, asked again seldom."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.approved_templates import Approval, ApprovalSource
from bellhop.domain.channels import CHANNELS
from bellhop.domain.credentials import CredentialsUnreadable
from bellhop.domain.delivery_ports import Account, ProviderUnreachable
from bellhop.domain.provider_urls import Routes
from bellhop.domain.rows.templates import TemplateRow
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.errors import InvalidField, NotFound, ProviderAway
from bellhop.store.delivery import attempt_rows
from bellhop.store.delivery.accounts import account_of
from bellhop.store.messages import content_templates, templates

log = structlog.get_logger()

TIMEOUT = 5.0
"""Seconds of one call; an answer takes two."""
TICK = 60.0
"""Seconds between two looks whether one is to be asked about."""
PENDING_EVERY = 900.0
"""Seconds after which one is asked about again whose approval is still to come."""
AT_ONCE = 20


async def refresh(engine: Engine, routes: Routes, scope: Scope, template_id: UUID) -> TemplateRow:
    """Ask now about the approved template that one of ours names. Raises NotFound, InvalidField, ProviderAway."""
    row = await _row(engine, scope, template_id)
    if row.mapped is None:
        raise InvalidField("template_id", "expected a template with `whatsapp`", "template")
    await ask(engine, routes, scope, row.mapped.content_sid)
    return await _row(engine, scope, template_id)


async def _row(engine: Engine, scope: Scope, template_id: UUID) -> TemplateRow:
    row = await engine.database.read(lambda tx: templates.get(tx, scope, template_id))
    if row is None:
        raise NotFound
    return row


async def ask(engine: Engine, routes: Routes, scope: Scope, content_sid: str) -> Approval:
    """Ask the provider through which the scope writes where templates are approved, and keep the answer. Raises
    ProviderAway."""
    found = await engine.database.read(lambda tx: _accounts(tx, engine, routes, scope))
    if not found:
        raise ProviderAway("The property has no sender at a provider that could be asked about it.")
    account, source = found[0]
    try:
        said = await asyncio.to_thread(source.approval, account, content_sid, TIMEOUT)
    except ProviderUnreachable:
        raise ProviderAway from None
    await engine.database.write(lambda tx: content_templates.write(tx, scope, content_sid, said))
    return said


async def _accounts(
    tx: AsyncConnection, engine: Engine, routes: Routes, scope: Scope
) -> list[tuple[Account, ApprovalSource]]:
    found: list[tuple[Account, ApprovalSource]] = []
    for channel, rules in CHANNELS.items():
        for sender in await attempt_rows.senders_of(tx, scope.id, channel) if rules.window else []:
            source: object = engine.providers.get(sender.provider)
            base_url = routes.base_url(scope.environment, sender.base_url)
            if not isinstance(source, ApprovalSource) or base_url is None:
                continue
            try:
                found.append((account_of(engine.cipher, sender, base_url, scope.environment), source))
            except CredentialsUnreadable as problem:
                log.error("a provider cannot be asked", provider=sender.provider, mend=str(problem))
    return found


async def refresh_all(engine: Engine, routes: Routes, scope: Scope) -> Sequence[tuple[str, Approval | None]]:
    """Ask about every one that the scope's templates name; None: nobody answered."""
    sids = await engine.database.read(lambda tx: content_templates.of_scope(tx, scope))
    return [(sid, await _answer(engine, routes, scope, sid)) for sid in sids]


async def _answer(engine: Engine, routes: Routes, scope: Scope, content_sid: str) -> Approval | None:
    try:
        return await ask(engine, routes, scope, content_sid)
    except ProviderAway:
        return None


async def keep_asking(engine: Engine, routes: Routes, every: float) -> None:
    """Ask about each of them every `every` seconds, sooner where an approval is still to come: whichever process is
    first. Runs until cancelled; not at all where `every` is 0."""
    while every > 0:
        await asyncio.sleep(TICK)
        try:
            due = await engine.database.write(
                lambda tx: content_templates.claim(tx, every, min(every, PENDING_EVERY), AT_ONCE)
            )
            for one in due:
                await _answer(engine, routes, one.scope, one.content_sid)
        except Exception as error:  # noqa: BLE001  whatever it is, the next look may go well
            log.debug("approvals of templates are not asked for yet", error=type(error).__name__)
