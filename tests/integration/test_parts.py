"""A long text goes out as it was split at its acceptance, whatever becomes of the splitter in between (I1)."""

from __future__ import annotations

import pytest

from bellhop.domain import content
from bellhop.domain.channels import Channel
from bellhop.domain.delivery_ports import Claim, SendKind, SendResult
from bellhop.domain.routing import carried
from bellhop.providers import providers
from bellhop.store.delivery.attempt_store import AttemptStore, Routes

from .engine import SMS, Engine, key

TEXT = " ".join(f"word{number}" for number in range(800))


async def texts_sent(stack: Engine, message_id: str) -> list[str]:
    """What each call carries, in order; every call is accepted."""
    routes = Routes("http://127.0.0.1:8", "http://127.0.0.1:9")
    store = AttemptStore(
        stack.database,
        stack.settings.delivery,
        routes,
        carried(providers()),
        stack.settings.bellhop.credential_cipher(),
        stack.book,
        lambda _: None,
    )
    sent: list[str] = []
    while isinstance(claim := await store.claim(key(message_id), 1e12), Claim):
        sent.append(claim.outgoing.content.text)
        await store.record(claim, SendResult(SendKind.ACCEPTED, f"SM{len(sent)}"))
    return sent


async def accepted(stack: Engine, text: str) -> str:
    """A message that waits, split by the splitter of today."""
    sent = await stack.send({**SMS, "recipient": "+13055550107", "content": text})
    return str(sent["id"])


@pytest.fixture
def another_splitter(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """One that makes more parts of the same text, so that the last ones have no place among those accepted."""
    monkeypatch.setattr(content, "split", lambda text, _: [text[at : at + 700] for at in range(0, len(text), 700)])
    return monkeypatch


async def test_a_splitter_that_changed_loses_nothing(idle_stack: Engine, request: pytest.FixtureRequest) -> None:
    message = await accepted(idle_stack, TEXT)
    (row,) = await idle_stack.rows("select parts, body from messages where id = :id", id=key(message))
    assert row["body"] == {"parts": content.parts(Channel.SMS, TEXT)}
    assert row["parts"] == len(row["body"]["parts"]) == 4
    request.getfixturevalue("another_splitter")
    # Without its spaces, which cuts may drop: so that what is missing would be words.
    assert "".join(await texts_sent(idle_stack, message)).replace(" ", "") == TEXT.replace(" ", "")


async def test_what_an_older_version_accepted_is_split_when_it_goes_out(idle_stack: Engine) -> None:
    message = await accepted(idle_stack, TEXT)
    await idle_stack.rows("update messages set body = null where id = :id returning id", id=key(message))
    assert " ".join(await texts_sent(idle_stack, message)) == TEXT


async def test_one_part_is_its_text_and_stored_once(idle_stack: Engine) -> None:
    message = await accepted(idle_stack, "Your suite is ready.")
    (row,) = await idle_stack.rows("select parts, body from messages where id = :id", id=key(message))
    assert (row["parts"], row["body"]) == (1, None)
    assert await texts_sent(idle_stack, message) == ["Your suite is ready."]
