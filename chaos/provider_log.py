"""Reads account three, what the providers took, from the sandbox's own books."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import aiohttp

from chaos.accounts import Copy
from chaos.comparisons import PROVIDER_SAYS

WORD = re.compile(r"q\d{5}\.\d{3}")


async def read(http: aiohttp.ClientSession, sandbox: str) -> list[Copy]:
    """Everything a provider has accepted, oldest first."""
    async with http.get(f"{sandbox}/_sandbox/messages", timeout=aiohttp.ClientTimeout(total=60)) as answer:
        answer.raise_for_status()
        return [_copy(shown) for shown in (await answer.json())["data"]]


def _copy(shown: Mapping[str, Any]) -> Copy:
    steps = shown["steps"]
    reported = {step["word"] for step in steps if step["callback"] and str(step["answer"]).startswith("2")}
    # Of a callback that was repeated the books say when the last try was due.
    failures = [
        datetime.fromisoformat(shown["accepted_at"] if step["tries"] else step["at"]).timestamp()
        for step in steps
        if step["changes_status"] and step["state"] != "owed" and PROVIDER_SAYS.get(step["word"]) == "failed"
    ]
    detail = shown["detail"]
    return Copy(
        provider=shown["provider"],
        id=shown["id"],
        words=tuple(WORD.findall(shown["content"] or shown["html"] or "")),
        accepted=datetime.fromisoformat(shown["accepted_at"]).timestamp(),
        status=shown["status"],
        reported=frozenset(reported),
        busy=any(step["state"] == "owed" for step in steps),
        to=shown["to"],
        failed=min(failures, default=None),
        files=(*(detail.get("media_sha256") or ()), *(file["sha256"] for file in detail.get("files") or ())),
    )
