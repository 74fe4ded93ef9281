"""Templates: written, looked at, tried out, archived; and what a message that names one says."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import templates as texts
from bellhop.domain import unsubscribe
from bellhop.domain.approved_templates import (
    LONGEST_NAME,
    MOST_VARIABLES,
    Approval,
    ApprovedText,
    Mapped,
    flat,
    refused,
    state_of,
)
from bellhop.domain.content import HTML, PLAIN
from bellhop.domain.ids import Prefix, render
from bellhop.domain.paging import Listed, PageRequest
from bellhop.domain.rows.templates import TemplateRow
from bellhop.domain.scopes import Scope
from bellhop.domain.templates import TemplateProblem, TemplateUse
from bellhop.engine.context import Engine
from bellhop.engine.errors import InvalidField, NotFound
from bellhop.store.messages import content_templates, templates
from bellhop.store.messages.templates import NewTemplate


@dataclass(frozen=True, slots=True)
class CreateTemplate:
    """A version as a caller writes it."""

    name: str
    locale: str
    content: str
    content_type: str = PLAIN
    subject: str | None = None
    whatsapp: Mapped | None = None
    """As which approved template it goes out on WhatsApp where a free text may not."""


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
    approved: ApprovedText | None = None
    """What it says as an approved template, if it names one that can say it."""
    unapproved: str | None = None
    """Why it cannot go out as one now, as a sentence; None: it can."""


async def create(engine: Engine, scope: Scope, command: CreateTemplate) -> TemplateRow:
    """The next version of a template in a locale. It is used from now on. Raises InvalidField."""
    names: set[str] = set()
    for name, text in (("content", command.content), ("subject", command.subject)):
        if name == "subject" and text and unsubscribe.PARAMETER in text:
            raise InvalidField(name, f"expected none with `{unsubscribe.PARAMETER}`: a subject has no link", "template")
        try:
            names |= {*texts.parameters_of([text], html=name == "content" and command.content_type == HTML)}
        except TemplateProblem as problem:
            raise InvalidField(name, str(problem), "template") from None
    if len(names) > texts.MOST_PARAMETERS:
        raise InvalidField("content", f"expected at most {texts.MOST_PARAMETERS} parameters in all", "template")
    mapped = _checked(command.whatsapp, names) if command.whatsapp else None
    new = NewTemplate(
        command.name, command.locale, command.content, command.content_type, command.subject, sorted(names), mapped
    )

    async def write(tx: AsyncConnection) -> TemplateRow | None:
        if mapped is not None:
            await content_templates.known(tx, scope, mapped["content_sid"])
        return await templates.create(tx, scope, new)

    row = await engine.database.write(write)
    if row is None:
        most = f"{templates.MOST_VERSIONS:,}"
        raise InvalidField("name", f"expected no more than {most} versions of all templates", "too_many_templates")
    return row


def _checked(mapped: Mapped, parameters: Collection[str]) -> dict[str, Any]:
    """What is stored of it. Raises InvalidField."""
    if len(mapped.variables) > MOST_VARIABLES:
        raise InvalidField("whatsapp.variables", f"expected at most {MOST_VARIABLES} variables", "template")
    for name, path in mapped.variables.items():
        if len(name) > LONGEST_NAME or not name.isalnum() or not name.isascii():
            expected = f"expected the name of a variable, such as 1: at most {LONGEST_NAME} letters and digits"
            raise InvalidField("whatsapp.variables", expected, "template")
        if path.partition(".")[0] not in parameters:
            known = ", ".join(sorted(parameters)) or "none"
            expected = f"expected for {name} a parameter of the template ({known}), or a part of one, such as room.kind"
            raise InvalidField("whatsapp.variables", expected, "template")
    return {"content_sid": mapped.content_sid, "variables": dict(mapped.variables)}


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
    if use.version_id is not None:
        return _rendered(await _version(tx, scope, use.name, use.version_id, use.locale), use.parameters)
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
    return _rendered(row, use.parameters)


async def _version(tx: AsyncConnection, scope: Scope, name: str, version_id: UUID, locale: str | None) -> TemplateRow:
    """A version that a message names by its id. Raises InvalidField."""
    row = await templates.get(tx, scope, version_id)
    if row is None or row.name != name or row.archived_at is not None:
        raise InvalidField("template.version", f"expected a version of {name} that is not archived", "unknown_template")
    if locale is not None and texts.choose([row.locale], [locale]) is None:
        expected = f"expected {row.locale}, the one that this version is in"
        raise InvalidField("template.locale", expected, "template_locale")
    return row


def _rendered(row: TemplateRow, parameters: Mapping[str, Any], field_name: str = "template.parameters") -> Rendered:
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
    approved, why = _approved(row, parameters, content)
    return Rendered(content, row.content_type, subject, source, approved, why)


def _approved(row: TemplateRow, parameters: Mapping[str, Any], text: str) -> tuple[ApprovedText | None, str | None]:
    """What it says as an approved template, and why that cannot go out now."""
    mapped = row.mapped
    if mapped is None:
        return None, "the template names none that WhatsApp approves (`whatsapp`)"
    values = {}
    for name, path in mapped.variables.items():
        try:
            values[name] = flat(texts.rendered(f"{{{{ {path} }}}}", parameters, html=False))
        except TemplateProblem as problem:
            return None, f"there is no value for its variable {name}: {problem}"
    if why := refused(list(values.values()), text):
        return None, why
    return ApprovedText(mapped.content_sid, values, text), mapped.problem(_known(row))


def _known(row: TemplateRow) -> Approval | None:
    state = state_of(row.approval)
    return state[0] if state else None


async def first_contact(tx: AsyncConnection, scope: Scope, content: str, guest_id: UUID | None) -> Rendered:
    """What a free text goes out as where the guest has not written lately: the property's template for that (its
    setting `whatsapp_first_contact`), whose parameters are `content` and, if it has that, `property_name`."""
    name, called = await templates.first_contact(tx, scope)
    if name is None:
        return Rendered(
            "", PLAIN, unapproved="the property has no template for it (its setting whatsapp_first_contact)"
        )
    if why := refused([content], content):
        return Rendered("", PLAIN, unapproved=why)
    try:
        rows = await templates.in_use(tx, scope, name)
        given = {"content": content, "property_name": called}
        named = {parameter for row in rows for parameter in row.parameters}
        use = TemplateUse(name, None, {key: value for key, value in given.items() if key in named})
        if "content" not in named:
            raise InvalidField("template", "it has no parameter `content`", "template")
        return await used(tx, scope, use, guest_id)
    except InvalidField as problem:
        return Rendered("", PLAIN, unapproved=f"the template {name} cannot carry it: {problem.expected}")


def _there(row: TemplateRow | None) -> TemplateRow:
    if row is None:
        raise NotFound
    return row
