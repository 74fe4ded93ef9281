"""Templates: written, looked at, tried out, archived; and what a message that names one says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import templates as texts
from bellhop.domain.content import HTML, PLAIN
from bellhop.domain.ids import Prefix, render
from bellhop.domain.paging import Listed, PageRequest
from bellhop.domain.rows.templates import TemplateRow
from bellhop.domain.scopes import Scope
from bellhop.domain.templates import TemplateProblem, TemplateUse
from bellhop.engine.context import Engine
from bellhop.engine.errors import InvalidField, NotFound
from bellhop.store.messages import templates
from bellhop.store.messages.templates import NewTemplate


@dataclass(frozen=True, slots=True)
class CreateTemplate:
    """A version as a caller writes it."""

    name: str
    locale: str
    content: str
    content_type: str = PLAIN
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class ListTemplates:
    """Which templates to list; None: any."""

    name: str | None = None
    locale: str | None = None
    archived: bool = False
    every_version: bool = False
    page: PageRequest = field(default_factory=PageRequest)


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a template says with some parameters."""

    content: str = field(repr=False)
    content_type: str
    subject: str | None = field(default=None, repr=False)
    source: Mapping[str, Any] = field(default_factory=dict)
    """Which template it was: `{id, name, locale, version}`."""


async def create(engine: Engine, scope: Scope, command: CreateTemplate) -> TemplateRow:
    """The next version of a template in a locale. It is used from now on. Raises InvalidField."""
    names: set[str] = set()
    for name, text in (("content", command.content), ("subject", command.subject)):
        try:
            names |= {*texts.parameters_of([text], html=name == "content" and command.content_type == HTML)}
        except TemplateProblem as problem:
            raise InvalidField(name, str(problem), "template") from None
    if len(names) > texts.MOST_PARAMETERS:
        raise InvalidField("content", f"expected at most {texts.MOST_PARAMETERS} parameters in all", "template")
    new = NewTemplate(
        command.name, command.locale, command.content, command.content_type, command.subject, sorted(names)
    )
    row = await engine.database.write(lambda tx: templates.create(tx, scope, new))
    if row is None:
        most = f"{templates.MOST_VERSIONS:,}"
        raise InvalidField("name", f"expected no more than {most} versions of all templates", "too_many_templates")
    return row


async def get(engine: Engine, scope: Scope, template_id: UUID) -> TemplateRow:
    """One version. Raises NotFound."""
    return _there(await engine.database.read(lambda tx: templates.get(tx, scope, template_id)))


async def listing(engine: Engine, scope: Scope, which: ListTemplates) -> Listed[TemplateRow]:
    """Templates, newest first."""
    return await engine.database.read(
        lambda tx: templates.listing(
            tx,
            scope,
            which.page,
            name=which.name,
            locale=which.locale,
            archived=which.archived,
            every_version=which.every_version,
        )
    )


async def archive(engine: Engine, scope: Scope, template_id: UUID) -> TemplateRow:
    """Use a version no more: the newest one before it that is not archived is used again. Raises NotFound."""
    return _there(await engine.database.write(lambda tx: templates.archive(tx, scope, template_id)))


async def preview(engine: Engine, scope: Scope, template_id: UUID, parameters: Mapping[str, Any]) -> Rendered:
    """What a message would say. Raises NotFound, InvalidField."""
    return _rendered(await get(engine, scope, template_id), parameters, "parameters")


async def used(tx: AsyncConnection, scope: Scope, use: TemplateUse, guest_id: UUID | None) -> Rendered:
    """What a message says that names a template: in the locale asked for, else the guest's language, else the
    property's. Raises InvalidField."""
    rows = await templates.in_use(tx, scope, use.name)
    if not rows:
        raise InvalidField("template.name", "expected the name of a template of this property", "unknown_template")
    wanted = [use.locale] if use.locale else await templates.languages(tx, scope, guest_id)
    locale = texts.choose([row.locale for row in rows], wanted)
    if locale is None:
        known = ", ".join(row.locale for row in rows)
        raise InvalidField(
            "template.locale",
            f"expected one that this template has ({known}), or that of the guest's or the property's language",
            "template_locale",
        )
    row = next(row for row in rows if row.locale == locale)
    return _rendered(row, use.parameters, "template.parameters")


def _rendered(row: TemplateRow, parameters: Mapping[str, Any], field_name: str) -> Rendered:
    html = row.content_type == HTML
    try:
        texts.check(row.parameters, parameters)
        content = texts.rendered(row.content, parameters, html=html)
        subject = row.subject and texts.rendered(row.subject, parameters, html=False, one_line=True)
    except TemplateProblem as problem:
        where = f"{field_name}.{problem.parameter}" if problem.parameter else field_name
        raise InvalidField(where, str(problem), "template_parameters") from None
    source = {
        "id": render(Prefix.TEMPLATE, row.id),
        "name": row.name,
        "locale": row.locale,
        "version": row.version,
    }
    return Rendered(content, row.content_type, subject, source)


def _there(row: TemplateRow | None) -> TemplateRow:
    if row is None:
        raise NotFound
    return row
