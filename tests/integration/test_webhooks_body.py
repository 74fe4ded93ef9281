"""What a webhook carries, and its signatures, as a customer's server that really listens receives them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, func, insert, update
from sqlalchemy.ext.asyncio import AsyncEngine
from standardwebhooks import Webhook, WebhookVerificationError

from bellhop.domain.events import EventType
from bellhop.domain.ids import Prefix, render
from bellhop.domain.signing import new_secret, verify
from bellhop.domain.statuses import Stage
from bellhop.store import tables
from bellhop.store.webhooks import events
from tests.integration.webhooks_kit import Receiver, WebhookStack, build_stack, serving


@pytest.fixture
async def stack(engine: AsyncEngine) -> WebhookStack:
    return await build_stack(engine)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with serving() as one:
        yield one


async def test_the_body_is_the_documented_envelope_with_the_message_as_of_the_event(
    stack: WebhookStack, receiver: Receiver
) -> None:
    endpoint = await stack.endpoint(receiver.url + "/hook")
    sent_at = datetime.now(UTC)
    message = await stack.message(stage="read", sent_at=sent_at, metadata={"room": "12"}, guest_ref="gst_given")
    await stack.tell(message, Stage.SENT)
    assert (await stack.drain(endpoint)).after is None
    (call,) = receiver.calls
    (row,) = await stack.deliveries(endpoint)
    body = call.json
    assert list(body) == ["id", "type", "property_id", "created_at", "data"]
    assert body["id"] == render(Prefix.EVENT, row.event_id) == call.headers["webhook-id"]
    assert body["type"] == "message.sent"
    assert body["property_id"] == render(Prefix.PROPERTY, stack.property_id)
    assert body["data"]["id"] == render(Prefix.MESSAGE, message)
    assert body["data"]["status"] == "sent", "the stage of the event, although it has been read since"
    assert body["data"]["sent_at"] == sent_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert body["data"]["guest_id"] == "gst_given"
    assert body["data"]["metadata"] == {"room": "12"}
    assert call.headers["content-type"] == "application/json"
    assert (row.state, row.attempts, row.last_status, row.last_error) == ("delivered", 1, 204, None)
    assert row.delivered_at is not None and row.last_attempt_at is not None


async def test_a_failed_message_says_why(stack: WebhookStack, receiver: Receiver) -> None:
    endpoint = await stack.endpoint(receiver.url)
    message = await stack.message(stage="delivered", sent_at=datetime.now(UTC))
    await stack.tell(message, Stage.SENT, Stage.UNDELIVERED, code="unreachable", provider_code="30003")
    await stack.drain(endpoint)
    failed = receiver.calls[1].json
    assert failed["type"] == "message.failed" and failed["data"]["status"] == "failed"
    assert failed["data"]["metadata"]["error"]["code"] == "unreachable"
    assert failed["data"]["metadata"]["error"]["provider_code"] == "30003"
    assert failed["data"]["sent_at"] is not None


async def test_every_subject_has_its_object(stack: WebhookStack, receiver: Receiver, engine: AsyncEngine) -> None:
    endpoint = await stack.endpoint(receiver.url)
    inbound = await stack.message(direction="inbound", sender="+13055550000", recipient="+13055559999", content="Hi")
    async with engine.begin() as tx:
        guest = (
            await tx.execute(
                insert(tables.guests)
                .values(scope_id=stack.scope_id, first_name="Zoë", last_name="Ng")
                .returning(tables.guests.c.id)
            )
        ).scalar_one()
        for subject, key, kind in (
            ("inbound", inbound, EventType.MESSAGE_RECEIVED),
            ("guest", guest, EventType.GUEST_CREATED),
            ("guest", guest, EventType.GUEST_DELETED),
        ):
            await events.write(tx, stack.scope_id, subject, key, [events.NewEvent(kind)])
    await stack.drain(endpoint)
    data = {call.json["type"]: call.json["data"] for call in receiver.calls}
    assert data["message.received"]["content"] == "Hi"
    assert data["message.received"]["id"] == render(Prefix.INBOUND, inbound)
    assert data["guest.created"]["first_name"] == "Zoë"
    nothing_else = {"id": render(Prefix.GUEST, guest), "property_id": render(Prefix.PROPERTY, stack.property_id)}
    assert data["guest.deleted"] == nothing_else


@pytest.mark.parametrize("gone", [True, False])
async def test_i7_what_is_pending_about_an_erased_guest_goes_out_with_ids_only(
    stack: WebhookStack, receiver: Receiver, engine: AsyncEngine, gone: bool
) -> None:
    endpoint = await stack.endpoint(receiver.url)
    message = await stack.message(content="secret of the guest", sent_at=datetime.now(UTC))
    await stack.tell(message, Stage.SENT, Stage.DELIVERED)
    async with engine.begin() as tx:
        chosen = tables.messages.c.id == message
        if gone:
            await tx.execute(delete(tables.messages).where(chosen))
        else:
            await tx.execute(update(tables.messages).where(chosen).values(erased_at=func.now()))
    await stack.drain(endpoint)
    assert [call.json["type"] for call in receiver.calls] == ["message.sent", "message.delivered"]
    for call in receiver.calls:
        assert call.json["data"] == {
            "id": render(Prefix.MESSAGE, message),
            "property_id": render(Prefix.PROPERTY, stack.property_id),
        }


async def test_i5_an_event_never_shows_a_row_of_another_property(
    stack: WebhookStack, receiver: Receiver, engine: AsyncEngine
) -> None:
    other = await build_stack(engine)
    theirs = await other.message(content="not yours")
    endpoint = await stack.endpoint(receiver.url)
    await stack.tell(theirs, Stage.SENT)  # what no code of ours does
    await stack.drain(endpoint)
    assert b"not yours" not in receiver.calls[0].body


async def test_both_signatures_hold_over_the_very_bytes_and_survive_a_rotation(
    stack: WebhookStack, receiver: Receiver
) -> None:
    endpoint = await stack.endpoint(receiver.url)
    old = (await stack.endpoint_row(endpoint)).secret
    new = new_secret()
    overlap = datetime.now(UTC) + timedelta(hours=1)
    await stack.set_endpoint(endpoint, secret=new, previous_secret=old, previous_until=overlap)
    await stack.tell(await stack.message(content="Grüße ☂"), Stage.SENT)
    await stack.drain(endpoint)
    for secret in (old, new):
        Webhook(secret).verify(receiver.calls[0].body, receiver.calls[0].headers)
        assert verify(secret, receiver.calls[0].headers, receiver.calls[0].body, now=datetime.now(UTC))

    await stack.set_endpoint(endpoint, previous_until=datetime.now(UTC))
    await stack.tell(await stack.message(), Stage.SENT)
    await stack.drain(endpoint)
    Webhook(new).verify(receiver.calls[1].body, receiver.calls[1].headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(receiver.calls[1].body, receiver.calls[1].headers)
