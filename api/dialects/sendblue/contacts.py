"""What Sendblue's clients ask and say of a number: its service, its opt-out, that somebody types."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query as FromQuery
from starlette.responses import Response

from api.dependencies import CurrentCaller, CurrentEngine, CurrentScope, reply, require_scope
from api.dialects.sendblue.errors import error
from api.dialects.sendblue.router import router
from api.dialects.sendblue.schemas import Evaluate, OptOut, Typing
from bellhop.domain.channels import TEXTS, Service
from bellhop.domain.formats.sendblue import SERVICES, UNRESOLVED
from bellhop.domain.ids import Prefix, render
from bellhop.engine import consents, texts
from bellhop.engine.consents import Action


@router.get("/evaluate-service")
@require_scope("messaging:read")
async def evaluate(engine: CurrentEngine, scope: CurrentScope, asked: Annotated[Evaluate, FromQuery()]) -> Response:
    """By what a number is reached: as the last text to it went, or as the property's only way. Nobody is asked."""
    known = await texts.service_of(engine, scope, asked.number)
    if known is None:
        sentence = "It is not known whether this number has iMessage: no text from here has reached it yet."
        return error(404, UNRESOLVED, sentence)
    service = Service.IMESSAGE if known is Service.IMESSAGE else Service.SMS
    return reply({"number": asked.number, "service": SERVICES[service]})


@router.post("/v2/contacts/opt-out")
@require_scope("guests:write")
async def opt_out(engine: CurrentEngine, scope: CurrentScope, caller: CurrentCaller, body: OptOut) -> Response:
    """Write down that a number wants no messages, or may have them again."""
    action = Action.OPT_IN if body.opted_out is False else Action.OPT_OUT
    actor, reason = render(Prefix.KEY, caller.key_id), "opt-out by the property's software"
    await consents.set_by_operator(
        engine, scope, TEXTS[0], body.number, action, source="api", actor=actor, reason=reason
    )
    return reply({"status": "OK", "number": body.number, "opted_out": action is Action.OPT_OUT})


@router.post("/send-typing-indicator")
@require_scope("messaging:write")
async def typing(body: Typing) -> Response:
    """Nobody is shown that somebody types, and the answer says so."""
    sentence = "Bellhop shows no typing indicators."
    return reply({"number": body.number, "status": "ERROR", "error_message": sentence})
