"""What must hold of every message after every step of a race, computed from what the provider has and has said."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text

from bellhop.domain import statuses
from bellhop.domain.channels import CHANNELS
from bellhop.domain.rows.delivery import LIVE
from bellhop.domain.statuses import PASSES, RANK, STATUS, Stage, Status
from bellhop.store.tables import Personal, PersonalJSON, attempts, messages, receipts

from .races_kit import World
from .races_model import Call, Sent

PERSONAL = {
    table.name: [column.name for column in table.c if isinstance(column.type, Personal | PersonalJSON)]
    for table in (messages, attempts, receipts)
}
Row = Mapping[str, Any]


async def check(world: World) -> None:
    """Everything, of every message of the race's property: as it stands at one moment."""
    async with world.engine.connect() as tx:

        async def read(query: str) -> list[Row]:
            return list((await tx.execute(text(query), {"scope": world.scope.id})).mappings())

        await _check(world, read)


async def _check(world: World, read: Callable[[str], Awaitable[list[Row]]]) -> None:
    rows = {row["id"]: row for row in await read("select * from messages where scope_id = :scope")}
    calls: dict[UUID, list[Row]] = defaultdict(list)
    for row in await read("select * from attempts where scope_id = :scope order by id"):
        calls[row["message_id"]].append(row)
    reported: dict[UUID, list[Stage]] = defaultdict(list)
    for row in await read("select * from events where scope_id = :scope and subject = 'message' order by id"):
        if "stage" in row["facts"]:
            reported[row["subject_id"]].append(Stage(row["facts"]["stage"]))
    given_up = await read(
        "select a.* from race_abandoned a join messages m on m.id = a.message_id where m.scope_id = :scope"
    )
    abandoned = Counter((row["message_id"], row["part"]) for row in given_up)
    for sent in world.sent:
        row = rows[sent.id]
        _copies(world, sent, calls[sent.id], abandoned)
        _status(sent, row, calls[sent.id])
        _events(sent, row, reported[sent.id])
        if sent.guest in world.gone:
            assert row["erased_at"] is not None, "its guest was erased, and it was not"
    if any(row["erased_at"] for row in rows.values()):
        await _nothing_personal(read)


def _copies(world: World, sent: Sent, rows: list[Row], abandoned: Counter[tuple[UUID, int]]) -> None:
    live = Counter(row["part"] for row in rows if row["state"] in LIVE)
    assert all(count == 1 for count in live.values()), "two live attempts at one part"
    for part in range(sent.parts):
        copies = sum(call.has for call in sent.calls if call.part == part)
        assert copies <= 1 + abandoned[sent.id, part], f"the provider has {copies} copies of one part"
        assert not abandoned[sent.id, part] or (world.resend and sent.channel == "email"), "nobody chose to go on"
    if sent.withdrawn:
        assert not any(call.has for call in sent.calls), "a cancel was answered 200, and the provider has it"


def _status(sent: Sent, row: Row, rows: list[Row]) -> None:
    """The state is a function of the set of receipts and answers, and of our own decisions: whatever their order."""
    state = {attempt["id"]: attempt["state"] for attempt in rows}
    parts = [Stage.QUEUED] * sent.parts
    rules = CHANNELS[sent.channel]
    for call in sent.calls:
        parts[call.part] = statuses.higher(parts[call.part], _known(call, state[call.id]), rules)
    decision = Stage(row["decision"])
    assert row["stage"] == statuses.of_message(decision, parts, rules), (row["stage"], decision, parts)
    if decision is Stage.CANCELLED:
        assert sent.withdrawn or row["erased_at"], "nobody cancelled it"
    if sent.withdrawn:
        assert row["stage"] == "cancelled"
    if STATUS[Stage(row["stage"])] is Status.FAILED:
        assert row["failure_code"], "failed without a reason"
    for column, stage in (("sent_at", Stage.SENT), ("delivered_at", Stage.DELIVERED), ("read_at", Stage.READ)):
        assert (row[column] is not None) == (stage in PASSES[Stage(row["stage"])]), column


def _known(call: Call, state: str) -> Stage:
    # A look-up's answer about a call that had been abandoned comes too late to count; a receipt's never does.
    answered = (call.recorded and call.fate is not None and call.fate.value[1] == "accepted") or (
        call.found and state != "abandoned"
    )
    rank = statuses.ranks(CHANNELS[call.message.channel])
    return max([Stage.SENT if answered else Stage.QUEUED, *call.reported], key=rank.__getitem__)


def _events(sent: Sent, row: Row, reported: list[Stage]) -> None:
    final = CHANNELS[sent.channel].delivered_is_final
    ranks = [RANK[stage] for stage in reported if final or stage is not Stage.UNDELIVERED]
    assert ranks == sorted(set(ranks)), f"told out of order or twice: {reported}"
    words = [STATUS[stage] for stage in reported]
    assert len(words) == len(set(words)), f"told twice: {reported}"
    passed = {STATUS[stage] for stage in PASSES[Stage(row["stage"])]}
    assert passed <= set(words), f"{row['stage']} and only {reported} told"
    # Beyond what its stage passes, only what a provider's later word has overruled.
    overruled = {Status.CANCELLED, Status.FAILED} | (set() if final else {Status.DELIVERED})
    assert set(words) - passed <= overruled, reported


async def _nothing_personal(read: Callable[[str], Awaitable[list[Row]]]) -> None:
    """What is left of an erased guest's messages tells nothing of them (I7)."""
    buried = "select id from messages where scope_id = :scope and erased_at is not null"
    for table, key in (("messages", "id"), ("attempts", "message_id"), ("receipts", "message_id")):
        for row in await read(f"select * from {table} where {key} in ({buried})"):
            left = [name for name in PERSONAL[table] if row[name] not in (None, {})]
            assert not left, f"{table} of an erased guest still has {left}"


async def settled(world: World) -> None:
    """Once all is over: nothing waits and nothing is stuck."""
    await check(world)
    for row in await world.rows("select * from messages where scope_id = :scope and direction = 'outbound'"):
        assert row["stage"] != "queued", "stuck"
