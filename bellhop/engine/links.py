"""The links of a message: made short and tracked as it is accepted, so that what goes out is fixed; and followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import links, short_links
from bellhop.domain.channels import Channel
from bellhop.domain.content import Content
from bellhop.domain.media_addresses import PATH as MEDIA
from bellhop.domain.rows.links import ClickRow, FollowedLink, LinkRow
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.scopes import LinkSettings, Scope
from bellhop.domain.short_links import ShortLinks
from bellhop.domain.unsubscribe import PATH as UNSUBSCRIBE
from bellhop.engine.context import Engine
from bellhop.engine.errors import InvalidField, NotFound
from bellhop.store.database import unavailable
from bellhop.store.messages import outbound
from bellhop.store.messages import short_links as stored
from bellhop.store.messages.outbound import NewMessage
from bellhop.store.messages.short_links import NewLink

if TYPE_CHECKING:
    from bellhop.engine.messages import SendMessage

PATIENCE = 2.0
"""Seconds that whoever follows a link waits for the database."""


class NotNow(Exception):
    """The database did not answer in time."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A message whose links are changed, and the short ones among them, to be written with it."""

    new: NewMessage
    made: Sequence[NewLink] = ()
    life: int = short_links.USUAL_LIFE
    """Seconds after it is due that they lead somewhere."""

    async def write(self, tx: AsyncConnection, row: MessageRow) -> None:
        """`row`: the message, which was just accepted. Raises CodeTaken."""
        if self.made:
            await stored.write(tx, row, self.made, self.life)


async def changed(engine: Engine, tx: AsyncConnection, scope: Scope, command: SendMessage, new: NewMessage) -> Changed:
    """The message as it goes out, with its fallback. One whose links stay as they are costs nothing here. Raises
    InvalidField."""
    settings = scope.links
    asked, tracking = command.short_links, command.link_tracking
    if asked is None and tracking is None and settings is not None and not (settings.enabled or settings.tracking):
        return Changed(new)
    if settings is None:
        settings = await stored.settings(tx, scope)
    if asked is None or tracking is None:
        usual = short_links.by_default(new.category, _names(command, new))
        asked = asked or ShortLinks(enabled=settings.enabled and usual)
        tracking = settings.tracking and usual if tracking is None else tracking
    if tracking and not short_links.tracked(new.category, scope):
        tracking = False
    return _changed(engine, settings, asked, tracking, new)


def _names(command: SendMessage, new: NewMessage) -> list[str]:
    """What it is called by: see `short_links.lets_in`."""
    used = [command.template, *(step.template for step in command.fallback)]
    return [*new.tags, *new.metadata, *(name for use in used if use is not None for name in use.parameters)]


def _changed(engine: Engine, settings: LinkSettings, asked: ShortLinks, tracking: bool, new: NewMessage) -> Changed:
    if not asked.enabled and not tracking:
        return Changed(new)
    base: str | None = None
    if asked.enabled:
        base = short_links.base(asked.domain, settings, engine.public_url)
        if base is None:
            own = settings.domain or "none that this property has"
            raise InvalidField("short_links.domain", f"expected the property's own domain ({own})", "unknown_domain")
    life = asked.expires_after or settings.expires_after or short_links.USUAL_LIFE
    rewriter = _Rewriter(
        base, _ours(engine, settings), tracking, str((new.template or {}).get("name") or new.category.value)
    )
    content = rewriter.of(new.channel, new.content)
    fallback = tuple(replace(step, content=rewriter.of(step.channel, step.content)) for step in new.fallback)
    short = {"enabled": True, "domain": base.split("/")[2], "expires_after": life} if base is not None else None
    kept = {"short": short, "tracking": tracking, "count": len(rewriter.made)}
    done = replace(new, content=replace(content, links=kept), fallback=fallback)
    return Changed(done, list(rewriter.made.values()), life)


def _ours(engine: Engine, settings: LinkSettings) -> tuple[str, ...]:
    """Where links lead to us already: those are not changed."""
    api = engine.public_url.rstrip("/").lower()
    own = [f"https://{settings.domain}{short_links.PATH}"] if settings.domain else []
    return (*own, *(api + path for path in (short_links.PATH, UNSUBSCRIBE, MEDIA)))


@dataclass(slots=True)
class _Rewriter:
    """Changes the links of one message: one short link for each place that it leads to."""

    base: str | None
    """Where short links begin; None: none is made."""
    ours: tuple[str, ...]
    tracking: bool
    campaign: str
    made: dict[str, NewLink] = field(default_factory=dict)

    def of(self, channel: Channel, said: Content) -> Content:
        """What goes out by a channel."""
        parameters = short_links.parameters(channel, self.campaign) if self.tracking else {}
        return links.in_content(said, lambda link: self._instead(link, parameters))

    def _instead(self, link: str, parameters: Mapping[str, str]) -> str | None:
        if link.lower().startswith(self.ours):
            return None
        target = links.with_parameters(link, parameters)
        if self.base is None:
            return target
        made = self.made.get(target)
        if made is None:
            if len(self.made) >= short_links.MOST:
                return target
            code = short_links.new_code()
            made = self.made[target] = NewLink(code, self.base + code, target)
        return made.url


async def again(engine: Engine, tx: AsyncConnection, scope: Scope, old: MessageRow, new: NewMessage) -> Changed:
    """The same of a message that sends `old` again: with links of its own to where those of `old` led."""
    kept: Mapping[str, Any] = (old.details or {}).get("links") or {}
    if not kept:
        return Changed(new)
    led = {link.url: link.target for link in await stored.of_message(tx, scope, old.id)}
    content = replace(links.in_content(new.content, led.get), links={**kept, "count": 0})
    fallback = tuple(replace(step, content=links.in_content(step.content, led.get)) for step in new.fallback)
    new = replace(new, content=content, fallback=fallback)
    if not (short := kept.get("short")):
        return Changed(new)
    settings = scope.links or await stored.settings(tx, scope)
    # Its domain may be the property's no longer.
    there = short_links.base(short["domain"], settings, engine.public_url) is not None
    asked = ShortLinks(domain=short["domain"] if there else None, expires_after=short["expires_after"])
    # What was appended once is in the links already.
    done = _changed(engine, settings, asked, False, new)
    said = replace(done.new.content, links={**(done.new.content.links or {}), "tracking": bool(kept.get("tracking"))})
    return replace(done, new=replace(done.new, content=said))


async def follow(engine: Engine, code: str) -> FollowedLink | None:
    """Where a code leads, whoever asks; None: nowhere. Raises NotNow."""
    if not short_links.is_code(code):
        return None
    try:
        return await engine.database.read(lambda tx: stored.followed(tx, code), timeout=PATIENCE)
    except Exception as error:
        if unavailable(error):
            raise NotNow from None
        raise


@dataclass(frozen=True, slots=True)
class FollowedLinks:
    """The short links of a message, and the first clicks on them, the first first."""

    links: list[LinkRow]
    clicks: list[ClickRow]


async def of_message(engine: Engine, scope: Scope, message_id: UUID) -> FollowedLinks:
    """Raises NotFound."""

    async def work(tx: AsyncConnection) -> FollowedLinks:
        if await outbound.get(tx, scope, message_id) is None:
            raise NotFound
        found = await stored.of_message(tx, scope, message_id)
        return FollowedLinks(found, await stored.clicks(tx, scope, message_id) if found else [])

    return await engine.database.read(work)
