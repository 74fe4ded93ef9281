"""What a process remembers of an account is good for no longer than the record says, whichever process changed it.

Two API processes over one database; both have met the account before it is changed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.accounts import Seed
from bellhop.domain.operators import Operator
from bellhop.domain.scopes import Scope
from bellhop.ops.seed import ensure_accounts, ensure_property
from bellhop.settings import Settings
from bellhop.store.delivery import accounts, callback_accounts
from tests.integration.conftest_api import Api, open_api
from tests.integration.spool_kit import Providers
from tests.sandbox_accounts import sandbox_twilio

SID, TOKEN, NEW = sandbox_twilio.ACCOUNT_SID, sandbox_twilio.AUTH_TOKEN, "b" * 32
SEED = Seed("twilio", SID, "https://api.twilio.com", {"auth_token": NEW}, "sms", sandbox_twilio.FROM_NUMBER)
PUBLIC_URL = "https://bellhop.example"


class Processes:
    """Two APIs, and what changes accounts."""

    def __init__(self, apis: list[Api], settings: Settings, database: AsyncEngine) -> None:
        self.apis, self.settings, self.database = apis, settings, database
        self.cipher = settings.bellhop.credential_cipher()

    @property
    def scope(self) -> Scope:
        return self.apis[0].scope

    async def answers(self, token: str) -> set[int]:
        """What each process answers to a receipt that is signed with this token."""
        found = set()
        for api in self.apis:
            form = {"MessageSid": f"SM{uuid4().hex}", "MessageStatus": "delivered", "To": "+13055550106"}
            found.add((await Providers(api, PUBLIC_URL).twilio("status", form, token)).status_code)
        return found

    async def version(self) -> int | None:
        async with self.database.begin() as tx:
            return await callback_accounts.version(tx, "twilio", SID)


@pytest.fixture
async def processes(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Processes]:
    public = settings.bellhop.model_copy(update={"public_url": PUBLIC_URL})
    served = settings.model_copy(update={"bellhop": public})
    async with AsyncExitStack() as stack:
        apis = [await stack.enter_async_context(open_api(served, engine)) for _ in range(2)]
        made = Processes(apis, served, engine)
        assert await made.answers(TOKEN) == {200}
        yield made


async def test_a_rotation_counts_at_once_in_every_process(processes: Processes) -> None:
    assert await processes.answers(NEW) == {403}
    async with processes.database.begin() as tx:
        await accounts.put(tx, processes.cipher, processes.scope, SEED)
    assert await processes.answers(NEW) == {200}
    assert await processes.answers(TOKEN) == {200}, "the one before is still good"
    async with processes.database.begin() as tx:
        await accounts.forget_previous(tx, processes.scope)
    assert await processes.answers(NEW) == {200}
    assert await processes.answers(TOKEN) == {403}


async def test_an_account_that_was_forgotten_signs_nothing_any_more(processes: Processes) -> None:
    other = replace(SEED, identity="AC" + "9" * 32)
    async with processes.database.begin() as tx:
        await accounts.put(tx, processes.cipher, processes.scope, other)
        # Other channels go through it, too.
        await tx.execute(text("update senders set is_default = false where channel <> 'sms'"))
        await accounts.forget_previous(tx, processes.scope)
    assert await processes.answers(TOKEN) == {403}
    await processes.apis[0].sql("update provider_accounts set identity = 'AC' || repeat('8', 32) where identity = :sid",
                                sid=SID)  # fmt: skip
    assert await processes.answers(TOKEN) == {404}


async def test_a_property_that_joins_the_account_is_heard_at_once(processes: Processes) -> None:
    number = "+13055550199"
    async with processes.database.begin() as tx:
        scope = (await ensure_property(tx, "Harbour Inn", "harbour-inn"))["test"]
        await accounts.ensure(
            tx, processes.cipher, scope, replace(SEED, credentials={"auth_token": TOKEN}, address=number)
        )
    for api in processes.apis:
        assert (await Providers(api, PUBLIC_URL).text("Hello", To=number)).status_code == 200
    found = await processes.apis[0].sql("select scope_id from messages where direction = 'inbound'")
    assert [row[0] for row in found] == [scope.id] * 2


async def test_what_verifies_nothing_else_is_read_once(processes: Processes) -> None:
    """A hold, a probe, a mend: the account is as it was, for who signs its callbacks. The same of what was not
    committed."""
    before = await processes.version()
    remembered = [api.app.state.services.engine.accounts.of("twilio", SID) for api in processes.apis]
    assert all(remembered)
    async with processes.database.begin() as tx:
        (own,) = [
            one for one in await callback_accounts.of_callbacks(tx, "twilio", SID) if one.scope_id == processes.scope.id
        ]
        assert await accounts.hold(tx, processes.scope, own.id, Operator("somebody", "It is moved"))
    async with processes.database.connect() as tx:
        await accounts.put(tx, processes.cipher, processes.scope, SEED)
        assert await callback_accounts.version(tx, "twilio", SID) != before
        await tx.rollback()
    assert await processes.version() == before
    assert await processes.answers(TOKEN) == {200} and await processes.answers(NEW) == {403}
    after = [api.app.state.services.engine.accounts.of("twilio", SID) for api in processes.apis]
    assert all(now is then for now, then in zip(after, remembered, strict=True))


async def test_many_rows_changed_at_once_are_one_version(processes: Processes) -> None:
    async with processes.database.begin() as tx:
        for number in range(20):
            scope = (await ensure_property(tx, f"Hotel {number}", f"hotel-{number}"))["test"]
            await ensure_accounts(tx, scope, processes.settings)
        made = await callback_accounts.version(tx, "twilio", SID)
    assert await processes.version() == made
    assert await processes.answers(TOKEN) == {200}
    (known,) = {len(api.app.state.services.engine.accounts.of("twilio", SID).rows) for api in processes.apis}
    assert known == 21
