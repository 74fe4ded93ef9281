"""I7 and recovery: the history of an erased guest's message is not deleted before its last wake, which would make it
anew. (Seen by the crash points: an API killed between the deletion of a guest and telling Temporal.)"""

from __future__ import annotations

import asyncio

from temporalio.service import RPCError, RPCStatusCode

from bellhop.domain.ids import Prefix, message_workflow, parse
from bellhop.store.guests import erasure

from .engine import SMS, Engine, key


async def there(stack: Engine, message_id: str) -> bool:
    try:
        await stack.client.get_workflow_handle(message_workflow(key(message_id))).describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False
    return True


async def test_a_history_goes_after_the_last_wake(idle_stack: Engine) -> None:
    stack = idle_stack
    guest = (await stack.http.post("/v1/guests", json={"first_name": "Jordan", "last_name": "Doe"})).json()["id"]
    message = await stack.send({**SMS, "guest_id": guest, "scheduled_at": "2030-01-01T00:00:00Z"})
    pending = "select wake_due_at from messages where id = :id and wake_due_at is not null"
    async with asyncio.timeout(30):
        while await stack.rows(pending, id=key(message["id"])) or not await there(stack, message["id"]):
            await asyncio.sleep(0.05)
    guest_key = parse(Prefix.GUEST, guest)
    assert guest_key is not None
    async with stack.database.begin() as tx:
        # As the API does it; killed after its commit, it notifies nobody.
        assert await erasure.erase(tx, stack.scope, guest_key, stack.book) is not None
    await stack.sweep()
    assert await there(stack, message["id"]), "deleted while a wake was pending"
    await stack.rows("update messages set wake_due_at = now() - interval '1 hour' returning id")
    # The kinds of a sweep run side by side: what is woken in one is deleted in the next at the latest.
    for _ in range(3):
        await stack.sweep()
    assert not await stack.rows("select workflow_id from history_erasures")
    assert not await stack.rows(pending, id=key(message["id"]))
    async with asyncio.timeout(30):
        while await there(stack, message["id"]):
            await asyncio.sleep(0.05)
