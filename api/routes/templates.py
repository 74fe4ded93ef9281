"""Templates: texts of a property that messages name."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter
from fastapi import Query as FromQuery
from starlette.responses import Response

from api.cursors import page_request
from api.dependencies import (
    AuthenticatedRoute,
    CurrentEngine,
    CurrentScope,
    CurrentServices,
    key_of,
    page,
    reply,
    require_scope,
)
from api.schemas.errors import errors
from api.schemas.fields import Page
from api.schemas.templates import CreateTemplate, ListTemplates, Preview, PreviewRequest, Template
from bellhop.domain import serializers
from bellhop.domain.approved_templates import Mapped
from bellhop.domain.ids import Prefix
from bellhop.engine import approvals, templates
from bellhop.engine.errors import ProviderAway

router = APIRouter(prefix="/v1/templates", tags=["Templates"], route_class=AuthenticatedRoute)


@router.post(
    "",
    operation_id="createTemplate",
    summary="Write a template",
    status_code=201,
    response_model=Template,
    responses=errors(400, 413),
)
@require_scope("messaging:write")
async def create(
    engine: CurrentEngine, services: CurrentServices, scope: CurrentScope, body: CreateTemplate
) -> Response:
    """A template, or the next version of one. What was accepted before keeps the text it had."""
    mapped = Mapped(body.whatsapp.content_sid, body.whatsapp.variables) if body.whatsapp else None
    command = templates.CreateTemplate(body.name, body.locale, body.content, body.content_type, body.subject, mapped)
    row = await templates.create(engine, scope, command)
    if mapped is not None:
        # What cannot be asked just now is asked later.
        with suppress(ProviderAway):
            row = await approvals.refresh(engine, services.settings.routes, scope, row.id)
    return reply(serializers.template(row), 201)


@router.get(
    "",
    operation_id="listTemplates",
    summary="List templates",
    response_model=Page[Template],
    responses=errors(),
)
@require_scope("messaging:read")
async def listing(engine: CurrentEngine, scope: CurrentScope, which: Annotated[ListTemplates, FromQuery()]) -> Response:
    """Templates of this property, newest first."""
    asked = page_request(which, Prefix.TEMPLATE)
    wanted = templates.ListTemplates(which.name, which.locale, which.archived, which.versions == "all", asked)
    listed = await templates.listing(engine, scope, wanted)
    return page([serializers.template(row) for row in listed.rows], listed, asked, Prefix.TEMPLATE)


@router.get(
    "/{template_id}",
    operation_id="getTemplate",
    summary="Get a template",
    response_model=Template,
    responses=errors(404),
)
@require_scope("messaging:read")
async def one(engine: CurrentEngine, scope: CurrentScope, template_id: str) -> Response:
    """One version of a template."""
    return reply(serializers.template(await templates.get(engine, scope, key_of(Prefix.TEMPLATE, template_id))))


@router.post(
    "/{template_id}/preview",
    operation_id="previewTemplate",
    summary="Try a template out",
    response_model=Preview,
    responses=errors(400, 404, 413),
)
@require_scope("messaging:read")
async def preview(engine: CurrentEngine, scope: CurrentScope, template_id: str, body: PreviewRequest) -> Response:
    """What a message would say. Nothing is sent, and nothing is kept."""
    made = await templates.preview(engine, scope, key_of(Prefix.TEMPLATE, template_id), body.parameters)
    return reply({"content": made.content, "content_type": made.content_type, "subject": made.subject})


@router.post(
    "/{template_id}/refresh",
    operation_id="refreshTemplate",
    summary="Ask whether WhatsApp has approved a template",
    response_model=Template,
    responses=errors(404, 503),
)
@require_scope("messaging:write")
async def refresh(engine: CurrentEngine, services: CurrentServices, scope: CurrentScope, template_id: str) -> Response:
    """Read from Twilio, now, whether the template that `whatsapp` names is approved, and what its variables are. It is
    read by itself every few hours."""
    routes = services.settings.routes
    return reply(
        serializers.template(await approvals.refresh(engine, routes, scope, key_of(Prefix.TEMPLATE, template_id)))
    )


@router.post(
    "/{template_id}/archive",
    operation_id="archiveTemplate",
    summary="Archive a version of a template",
    response_model=Template,
    responses=errors(404),
)
@require_scope("messaging:write")
async def archive(engine: CurrentEngine, scope: CurrentScope, template_id: str) -> Response:
    """Use this version no more: the newest before it that is not archived is used again. Repeating it is harmless."""
    return reply(serializers.template(await templates.archive(engine, scope, key_of(Prefix.TEMPLATE, template_id))))
