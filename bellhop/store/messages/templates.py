"""Templates of a scope: written once, version after version; archived, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, and_, func, insert, literal, literal_column, select, update
from sqlalchemy.dialects.postgresql import JSONB, distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.paging import Listed, PageRequest, Place
from bellhop.domain.rows.templates import TemplateRow
from bellhop.domain.scopes import Scope
from bellhop.store import pages
from bellhop.store.rows import first_of, from_result, from_row
from bellhop.store.tables import guests, properties, scopes, templates

MOST_VERSIONS = 10_000
"""Of all templates of one scope."""

_BODY = templates.c.body
# As text: SQLAlchemy correlates nothing with what an insert or an update returns.
_APPROVAL = literal_column(
    """
    (select jsonb_build_object(
       'status', said.status, 'category', said.category, 'rejection_reason', said.rejection_reason,
       'variables', said.variables, 'checked_at', said.checked_at)
     from content_templates said
     where said.scope_id = templates.scope_id and said.content_sid = templates.body #>> '{whatsapp,content_sid}')
    """,
    JSONB,
)


def _columns(scope: Scope) -> list[ColumnElement[Any]]:
    return [
        templates.c.id,
        literal(scope.property_id, Uuid).label("property_id"),
        templates.c.name,
        templates.c.locale,
        templates.c.version,
        _BODY["subject"].astext.label("subject"),
        _BODY["content"].astext.label("content"),
        _BODY["content_type"].astext.label("content_type"),
        _BODY["parameters"].label("parameters"),
        templates.c.created_at,
        templates.c.archived_at,
        _BODY["whatsapp"].label("whatsapp"),
        _APPROVAL.label("approval"),
    ]


@dataclass(frozen=True, slots=True)
class NewTemplate:
    """A version as it is to be written, checked. `parameters`: what its texts name."""

    name: str
    locale: str
    content: str
    content_type: str
    subject: str | None
    parameters: list[str]
    whatsapp: dict[str, Any] | None = None
    """`{content_sid, variables}`, if it has one."""


async def create(tx: AsyncConnection, scope: Scope, new: NewTemplate) -> TemplateRow | None:
    """The next version of a template in a locale, the first if there is none; None: the scope has as many as it may."""
    # One at a time in a scope: two at once would be the same version.
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"templates {scope.id}", 0))))
    mine = templates.c.scope_id == scope.id
    if await tx.scalar(select(func.count()).where(mine)) >= MOST_VERSIONS:  # type: ignore[operator]
        return None
    before = select(func.coalesce(func.max(templates.c.version), 0)).where(
        mine, templates.c.name == new.name, templates.c.locale == new.locale
    )
    body = {
        "subject": new.subject,
        "content": new.content,
        "content_type": new.content_type,
        "parameters": new.parameters,
    } | ({"whatsapp": new.whatsapp} if new.whatsapp else {})
    made = await tx.execute(
        insert(templates)
        .values(
            scope_id=scope.id,
            name=new.name,
            locale=new.locale,
            version=before.scalar_subquery() + 1,
            body=body,
        )
        .returning(*_columns(scope))
    )
    return from_row(TemplateRow, made.one())


async def get(tx: AsyncConnection, scope: Scope, template_id: UUID) -> TemplateRow | None:
    """One version of this scope's."""
    mine = and_(templates.c.scope_id == scope.id, templates.c.id == template_id)
    return first_of(TemplateRow, await tx.execute(select(*_columns(scope)).where(mine)))


async def listing(
    tx: AsyncConnection,
    scope: Scope,
    asked: PageRequest,
    *,
    name: str | None = None,
    locale: str | None = None,
    archived: bool = False,
    every_version: bool = False,
) -> Listed[TemplateRow]:
    """Templates of this scope, newest first: the version in use of each name and locale, or every one. `archived`:
    those that are archived as well."""
    query = select(*_columns(scope)).where(templates.c.scope_id == scope.id)
    if name is not None:
        query = query.where(templates.c.name == name)
    if locale is not None:
        query = query.where(templates.c.locale == locale)
    if not archived:
        query = query.where(templates.c.archived_at.is_(None))
    if not every_version:
        newest = select(templates.c.id).ext(distinct_on(templates.c.name, templates.c.locale))
        newest = newest.where(templates.c.scope_id == scope.id)
        if not archived:
            newest = newest.where(templates.c.archived_at.is_(None))
        newest = newest.order_by(templates.c.name, templates.c.locale, templates.c.version.desc())
        query = query.where(templates.c.id.in_(newest))
    page = query.where(templates.c.id < pages.before(asked)).order_by(templates.c.id.desc())
    rows = from_result(TemplateRow, await tx.execute(pages.taken(page, asked)))
    return await pages.page(rows, asked, lambda row: Place(row.id), lambda: pages.count(tx, query))


async def archive(tx: AsyncConnection, scope: Scope, template_id: UUID) -> TemplateRow | None:
    """Use a version no more; repeating it changes nothing."""
    changed = await tx.execute(
        update(templates)
        .where(templates.c.scope_id == scope.id, templates.c.id == template_id)
        .values(archived_at=func.coalesce(templates.c.archived_at, func.now()))
        .returning(*_columns(scope))
    )
    return first_of(TemplateRow, changed)


async def in_use(tx: AsyncConnection, scope: Scope, name: str) -> Sequence[TemplateRow]:
    """The version in use of a template in each of its locales, in the order of the alphabet."""
    found = await tx.execute(
        select(*_columns(scope))
        .ext(distinct_on(templates.c.locale))
        .where(templates.c.scope_id == scope.id, templates.c.name == name, templates.c.archived_at.is_(None))
        .order_by(templates.c.locale, templates.c.version.desc())
    )
    return from_result(TemplateRow, found)


async def languages(tx: AsyncConnection, scope: Scope, guest_id: UUID | None) -> list[str | None]:
    """That of a guest, if one is named here, and that of the property (its setting `language`)."""
    guest = select(guests.c.language).where(guests.c.id == guest_id, guests.c.scope_id == scope.id)
    own = scopes.c.settings["language"].astext
    found = (await tx.execute(select(guest.scalar_subquery(), own).where(scopes.c.id == scope.id))).one()
    return list(found)


async def first_contact(tx: AsyncConnection, scope: Scope) -> tuple[str | None, str]:
    """The template with which a property writes first (its setting `whatsapp_first_contact`), and the property's
    name."""
    row = await tx.execute(
        select(scopes.c.settings["whatsapp_first_contact"].astext, properties.c.name)
        .join(properties, properties.c.id == scopes.c.property_id)
        .where(scopes.c.id == scope.id)
    )
    name, called = row.one()
    return name, called


async def of_project(tx: AsyncConnection, scope: Scope, project_id: UUID) -> str | None:
    """The name of the template that another vendor's project is here: as the property's setting `template_projects` has
    it, else the one of which it is a version."""
    named = scopes.c.settings["template_projects"][str(project_id)].astext
    own = select(templates.c.name).where(templates.c.scope_id == scope.id, templates.c.id == project_id)
    found = await tx.execute(select(func.coalesce(named, own.scalar_subquery())).where(scopes.c.id == scope.id))
    name: str | None = found.scalar_one()
    return name
