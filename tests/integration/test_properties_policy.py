"""When a property sends, set by command."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.paging import PageRequest
from bellhop.domain.scopes import Scope
from bellhop.engine import properties
from bellhop.engine.context import Engine
from bellhop.ops import administration
from bellhop.ops.administration import Refused
from bellhop.ops.seed import ensure_property

SLUG = "grand-sunset"


@pytest.fixture
async def scopes(engine: AsyncEngine) -> Mapping[str, Scope]:
    async with engine.begin() as tx:
        return await ensure_property(tx, "Grand Sunset Resort", SLUG)


async def test_when_a_property_sends_is_set_beside_its_other_settings(
    use_cases: Engine, scopes: Mapping[str, Scope]
) -> None:
    await administration.choose(use_cases, SLUG, "test", ["email=resend"])
    cap = {"category": "marketing", "max": 2, "per": "P7D"}
    first = await administration.policy(use_cases, SLUG, "test", {"frequency_caps": json.dumps([cap])})
    assert first == {"property": SLUG, "environment": "test", "frequency_caps": [cap]}
    given = {"validity": '{"two_factor": 300}', "quiet_hours": None, "frequency_caps": "[]"}
    assert (await administration.policy(use_cases, SLUG, "test", given))["validity"] == {"two_factor": 300}
    shown = await administration.policy(use_cases, SLUG, "test", {"quiet_hours": None})
    assert shown == {"property": SLUG, "environment": "test", "validity": {"two_factor": 300}}
    (row,) = (await properties.listing(use_cases, [scopes["test"]], PageRequest())).rows
    assert row.settings == {"outcome_unknown": {"email": "resend"}, "validity": {"two_factor": 300}}
    for wrong in ({"quiet_hours": "at night"}, {"quiet_hours": "[7]"}, {"validity": '{"two_factor": 0}'}):
        with pytest.raises(Refused, match=f"^--{next(iter(wrong)).replace('_', '-')}: expected "):
            await administration.policy(use_cases, SLUG, "test", wrong)
