"""Twilio's 21610 says that a guest wants nothing from a number: for every property that sends from it, however it is
learned, and for nobody else."""

from __future__ import annotations

from uuid import UUID

import pytest

from bellhop.domain.channels import AddressKind
from bellhop.domain.consents import Effect
from bellhop.domain.delivery_ports import Claim, Receipt, SendKind, SendResult
from bellhop.domain.failures import FailureCode
from bellhop.domain.ids import Prefix, parse
from bellhop.domain.provider_urls import Routes
from bellhop.domain.routing import carried
from bellhop.domain.statuses import Stage
from bellhop.providers import providers
from bellhop.providers.lease import boottime
from bellhop.store.delivery import receipts
from bellhop.store.delivery.attempt_store import AttemptStore

from .test_shared_sender import FIRST, GUEST, SECOND, THIRD, Properties, sharing

__all__ = ["sharing"]


async def refused_at_send(properties: Properties, slug: str) -> None:
    """A message of this property is sent, and Twilio answers 21610."""
    body = {"channel": "sms", "recipient": GUEST, "content": "Your suite is ready."}
    sent = await properties.api.http.post("/v1/messaging/send", json=body, headers=properties.headers[slug])
    settings = properties.settings
    store = AttemptStore(
        properties.api.database,
        settings.delivery,
        Routes(settings.bellhop.public_url, "http://127.0.0.1:9"),
        carried(providers()),
        settings.bellhop.credential_cipher(),
        properties.book,
        lambda _: None,
    )
    message_id = parse(Prefix.MESSAGE, sent.json()["id"])
    assert message_id is not None
    claim = await store.claim(message_id, boottime() + 15)
    assert isinstance(claim, Claim)
    refusal = SendResult(SendKind.REFUSED, code=FailureCode.OPTED_OUT, provider_code="21610")
    assert (await store.record(claim, refusal)).status in ("failed", "gave_up")


async def refused_when_asked(properties: Properties, slug: str) -> None:
    """A message of this property was sent, nothing was heard of it, and Twilio says when it is asked."""
    attempt = UUID(await properties.wrote(slug))
    ((account_id,),) = await properties.api.sql("select account_id from attempts where id = :id", id=attempt)
    (account,) = [one for one in await properties.accounts() if one.id == account_id]
    receipt = Receipt(
        "SM1:undelivered:21610", "undelivered", Stage.UNDELIVERED, attempt, None, {}, code=FailureCode.OPTED_OUT,
        provider_code="21610", effect=Effect.PROVIDER_REFUSAL, address=GUEST, address_kind=AddressKind.PHONE,
    )  # fmt: skip
    async with properties.api.database.begin() as tx:
        await receipts.record_reports(tx, [(account, receipt)])


@pytest.mark.parametrize("learned", [refused_at_send, refused_when_asked])
async def test_it_binds_every_property_that_sends_from_the_number(sharing: Properties, learned: object) -> None:
    assert callable(learned)
    await learned(sharing, SECOND)
    assert await sharing.refusing() == {FIRST, SECOND, THIRD}
    await sharing.text("START", "SM9")
    assert await sharing.refusing() == set()


@pytest.mark.parametrize("learned", [refused_at_send, refused_when_asked])
async def test_another_number_or_account_is_not_bound(sharing: Properties, learned: object) -> None:
    assert callable(learned)
    await sharing.api.sql(
        "update senders set address = '+13055550999' where channel = 'sms' and scope_id = :s",
        s=sharing.scopes[FIRST].id,
    )
    await sharing.api.sql(
        "update provider_accounts set identity = 'AC' || repeat('9', 32) where provider = 'twilio' and scope_id = :s",
        s=sharing.scopes[THIRD].id,
    )
    await learned(sharing, SECOND)
    assert await sharing.refusing() == {SECOND}


async def test_another_environment_is_not_bound(sharing: Properties) -> None:
    live = (await sharing.api.sql("select id from scopes where environment = 'live' limit 1"))[0][0]
    await sharing.api.sql(
        "update provider_accounts set scope_id = :live where provider = 'twilio' and scope_id = :s",
        live=live, s=sharing.scopes[THIRD].id,
    )  # fmt: skip
    await sharing.api.sql(
        "update senders set scope_id = :live where channel = 'sms' and scope_id = :s",
        live=live, s=sharing.scopes[THIRD].id,
    )  # fmt: skip
    await refused_at_send(sharing, SECOND)
    assert await sharing.refusing() == {FIRST, SECOND}
    assert await sharing.api.sql("select 1 from consents where scope_id = :s", s=live) == []
