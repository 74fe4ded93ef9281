"""I9: one source of time and order: the database's clock stamps, and ids sort by it."""

from __future__ import annotations

from bellhop.tables import metadata

from .engine import SMS, Engine, key


async def test_every_key_is_made_by_the_database_and_sorts_by_its_clock(house: Engine) -> None:
    for table in metadata.sorted_tables:
        if "id" in table.primary_key.columns and table.name != "installation":
            default = table.c.id.server_default
            assert default is not None, table.name
            assert str(default.arg) == "uuidv7()", table.name  # type: ignore[attr-defined]
    ids = [(await house.send({**SMS, "scheduled_at": "2030-01-01T00:00:00Z"}))["id"] for _ in range(20)]
    assert ids == sorted(ids)
    rows = await house.rows("select id, created_at, uuid_extract_timestamp(id) as stamped from messages order by id")
    assert [row["id"] for row in rows] == [key(one) for one in ids]
    for row in rows:
        assert abs((row["stamped"] - row["created_at"]).total_seconds()) < 1


async def test_times_are_the_databases(house: Engine) -> None:
    """Every stamp of a message lies between two readings of the database's clock, in the order of its story."""
    (before,) = await house.rows("select clock_timestamp() as at")
    sent = await house.send(SMS)
    await house.until(sent["id"], "delivered")
    (after,) = await house.rows("select clock_timestamp() as at")
    (row,) = await house.rows("select * from messages where id = :id", id=key(sent["id"]))
    stamps = [before["at"], row["created_at"], row["sent_at"], row["delivered_at"], after["at"]]
    assert stamps == sorted(stamps)
