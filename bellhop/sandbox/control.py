"""The sandbox's own endpoints, under `/_sandbox`: what was accepted, faults, settings, inbound texts, accounts."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, ValidationError

from bellhop.sandbox import callbacks, faults, guests
from bellhop.sandbox.faults import Fault, FaultRequest
from bellhop.sandbox.guests import GuestRequest
from bellhop.sandbox.magic import MagicTable
from bellhop.sandbox.providers import ProviderName, simulators
from bellhop.sandbox.simulator import InvalidRequest, Simulator
from bellhop.sandbox.state import State
from bellhop.sandbox.store import Message, PlannedStep

router = APIRouter(prefix="/_sandbox", tags=["sandbox"])


def _inbound_schema(schema: dict[str, Any]) -> None:
    models = [simulator.inbound_request for simulator in simulators().values() if simulator.inbound_request]
    schema["anyOf"] = [model.model_json_schema() for model in models]


def _account_schema(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [simulator.account_request.model_json_schema() for simulator in simulators().values()]


class InboundRequest(BaseModel):
    """A guest writes to a number. What else can be said is the provider's own."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_inbound_schema)

    provider: ProviderName | None = None
    to: str | None = None


class AccountRequest(BaseModel):
    """A further account; what is left out is made up. An account that exists is changed."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_account_schema)

    provider: ProviderName


def _given(body: BaseModel) -> dict[str, Any]:
    """What a request says to the provider."""
    return body.model_dump(exclude={"provider"}, exclude_unset=True)


def _invalid(error: ValidationError) -> RequestValidationError:
    """A provider's own part of a body is wrong; said as FastAPI says it of the rest."""
    wrong = error.errors(include_url=False, include_context=False)
    return RequestValidationError([{**problem, "loc": ("body", *problem["loc"])} for problem in wrong])


def _state(request: Request) -> State:
    state = request.app.state.sandbox
    assert isinstance(state, State)
    return state


def _at(moment: float | None) -> str | None:
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _moment(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise HTTPException(422, "since: seconds since 1970, or an ISO 8601 time") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _shown_step(step: PlannedStep) -> dict[str, Any]:
    return {
        "word": step.word,
        "code": step.code,
        "at": _at(step.due),
        "changes_status": bool(step.applies),
        "callback": bool(step.told),
        "state": step.state,
        "tries": step.tries,
        "answer": step.answer,
    }


def shown(message: Message, steps: list[PlannedStep]) -> dict[str, Any]:
    """A message as `GET /_sandbox/messages` lists it."""
    return {
        "provider": message.provider,
        "id": message.id,
        "account": message.account,
        "direction": message.direction,
        "to": message.recipient,
        "from": message.sender,
        "subject": message.subject,
        "content": message.content,
        "html": message.html,
        "accepted_at": _at(message.accepted_at),
        "status": message.status,
        "error_code": message.error_code,
        "callback_url": message.callback_url,
        "custom_args": message.custom_args,
        "parts": message.parts,
        "deleted": bool(message.deleted),
        "detail": message.detail,
        "steps": [_shown_step(step) for step in steps],
    }


@router.get("/health")
async def health() -> dict[str, bool]:
    """Up and serving."""
    return {"ok": True}


@router.get("/messages")
async def messages(
    request: Request,
    provider: ProviderName | None = None,
    to: str | None = None,
    since: Annotated[str | None, Query(description="accepted at or after: ISO 8601 or seconds since 1970")] = None,
    direction: Literal["outbound", "inbound", "any"] = "outbound",
    limit: Annotated[int, Query(ge=0, description="0: all")] = 0,
    offset: Annotated[int, Query(ge=0)] = 0,
    steps: bool = True,
) -> JSONResponse:
    """What was ACCEPTED, oldest first; one row for each recipient. `steps=false` leaves out what happened to it."""
    store = _state(request).store
    found, total = store.messages(
        (
            ("provider =", provider),
            ("recipient =", to),
            ("accepted_at >=", _moment(since)),
            ("direction =", None if direction == "any" else direction),
        ),
        limit=limit or -1,
        offset=offset,
    )
    taken = store.steps_of([message.seq for message in found]) if steps else {}
    return JSONResponse({"data": [shown(message, taken.get(message.seq, [])) for message in found], "total": total})


@router.post("/messages/{provider}/{message_id}/{action}")
async def act(request: Request, provider: ProviderName, message_id: str, action: str) -> dict[str, str]:
    """A guest does something with a message: opens a mail, clicks in it, unsubscribes. Tells what the app answered."""
    state = _state(request)
    simulator, message = state.simulators[provider], state.store.message(provider, message_id)
    if message is None or action not in simulator.actions:
        raise HTTPException(404, f"no such message, or none of: {', '.join(simulator.actions)}")
    try:
        return {"answer": await simulator.act(message, action)}
    except InvalidRequest as error:
        raise HTTPException(422, str(error)) from None


@router.delete("/messages")
async def clear_messages(request: Request) -> dict[str, int]:
    """Forget all messages, and the callbacks still owed for them."""
    state = _state(request)
    state.callback_sender.forget_all()
    return {"deleted": state.store.clear()}


@router.get("/requests")
async def requests(request: Request, provider: str | None = None, limit: int = 1000) -> dict[str, Any]:
    """Recent calls of the providers' APIs, refused ones too, newest first. `status` null: not answered (yet)."""
    rows = [row for row in reversed(_state(request).requests) if provider in (None, row["provider"])]
    return {"data": [{**row, "at": _at(row["at"])} for row in rows[:limit]], "total": len(rows)}


@router.delete("/requests")
async def clear_requests(request: Request) -> dict[str, bool]:
    """Forget recent calls."""
    _state(request).requests.clear()
    return {"ok": True}


def _shown_fault(fault: Fault) -> dict[str, Any]:
    return {"id": fault.id, **fault.asked.model_dump(exclude_none=True), "left": fault.left, "until": _at(fault.until)}


@router.post("/faults", status_code=201)
async def add_fault(request: Request, body: FaultRequest) -> JSONResponse:
    """Make something go wrong. Without `count` and `seconds`: once."""
    try:
        fault = _state(request).faults.add(body)
    except faults.UnknownKind:
        return JSONResponse({"detail": f"no fault of kind {body.kind!r}", "kinds": faults.KINDS}, 422)
    if body.kind == "refuse":
        server = getattr(request.app.state, "server", None)
        if server is None:
            raise HTTPException(501, "this sandbox does not own its port; run it with python -m bellhop.sandbox")
        await server.refuse(body.seconds or 5.0, request)
        return JSONResponse(_shown_fault(fault), 201, {"Connection": "close"})
    return JSONResponse(_shown_fault(fault), 201)


@router.get("/faults")
async def list_faults(request: Request) -> dict[str, Any]:
    """The faults in force, and the kinds there are."""
    return {"data": [_shown_fault(fault) for fault in _state(request).faults.in_force()], "kinds": faults.KINDS}


@router.delete("/faults")
async def clear_faults(request: Request) -> dict[str, bool]:
    """Let everything go right again."""
    _state(request).faults.clear()
    return {"ok": True}


@router.get("/magic")
async def magic_recipients() -> dict[str, dict[str, str]]:
    """The recipients that make something happen: at any provider, and at each one."""
    found: dict[str, dict[str, str]] = {"numbers": {}, "mailboxes": {}}
    for name, simulator in simulators().items():
        table = simulator.magic
        found[name] = {MagicTable.shown(table.kind, row.address): row.says for row in table.rows}
        found[table.kind] = found[name] | found[table.kind]
    return found


@router.get("/settings")
async def settings(request: Request) -> dict[str, Any]:
    """The settings in force."""
    return _state(request).settings.model_dump()


@router.put("/settings")
async def put_settings(request: Request, body: dict[str, Any]) -> JSONResponse:
    """Change the settings given; the rest stay. Messages already accepted keep their times."""
    state = _state(request)
    try:
        state.put_settings(body)
    except ValidationError as error:
        wrong = [{"loc": problem["loc"], "msg": problem["msg"]} for problem in error.errors()]
        return JSONResponse({"detail": wrong}, 422)
    return JSONResponse(state.settings.model_dump())


@router.post("/inbound")
async def inbound(request: Request, body: InboundRequest) -> dict[str, Any]:
    """A guest texts: posts the provider's inbound webhook and tells what the app answered."""
    _state(request).called_at = str(request.base_url).rstrip("/")
    try:
        return await _reached(_state(request), body).receive(_given(body))
    except ValidationError as error:
        raise _invalid(error) from None
    except InvalidRequest as error:
        raise HTTPException(422, str(error)) from None


def _reached(state: State, body: InboundRequest) -> Simulator:
    """Where a guest's message comes in. Raises InvalidRequest."""
    if body.provider:
        return state.simulators[body.provider]
    if body.to is None:
        return next(simulator for simulator in state.simulators.values() if simulator.reached_by_default)
    owner = next((simulator for simulator in state.simulators.values() if simulator.owns(body.to)), None)
    if owner is None:
        raise InvalidRequest(f"no account owns the number {body.to}")
    return owner


@router.put("/guests/{guest_id}")
async def put_guest(request: Request, guest_id: str, body: GuestRequest) -> dict[str, Any]:
    """Name a guest: the phone at `/phone` shows the messages to all of their addresses as one."""
    return guests.put(_state(request), guest_id[:100], body)


@router.post("/callbacks", status_code=201)
async def post_callbacks(request: Request, body: callbacks.CallbackRequest) -> dict[str, Any]:
    """Post callbacks at once that nothing in the sandbox calls for, and tell what the app answered to each."""
    try:
        told = await callbacks.post(_state(request), body)
    except callbacks.NoCallbackYet:
        raise HTTPException(409, "no message was accepted whose callbacks could serve as a model") from None
    return {"data": [asdict(each) for each in told]}


@router.get("/opt-outs")
async def opt_outs(request: Request) -> dict[str, Any]:
    """Who said STOP to which number."""
    return {"data": _state(request).store.opt_outs()}


@router.delete("/opt-outs")
async def clear_opt_outs(request: Request) -> dict[str, bool]:
    """As if nobody had said STOP."""
    _state(request).store.clear_opt_outs()
    return {"ok": True}


@router.post("/accounts", status_code=201)
async def add_account(request: Request, body: AccountRequest) -> dict[str, Any]:
    """Add an account or change one (new credentials for a known one rotate them)."""
    try:
        return {"provider": body.provider, **_state(request).simulators[body.provider].put_account(_given(body))}
    except ValidationError as error:
        raise _invalid(error) from None
    except InvalidRequest as error:
        raise HTTPException(422, str(error)) from None
