"""The client of webhooks, for the processes that post them: aiohttp takes 6 MB and a tenth of a second to import."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING

from bellhop.webhooks.settings import WebhookSettings

if TYPE_CHECKING:
    from bellhop.webhooks.light_client import LightClient


def posting(settings: WebhookSettings, *, here: bool) -> AbstractAsyncContextManager[LightClient | None]:
    """`make_client` of `poster.py`, where this process posts webhooks; else None."""
    if not here:
        return nullcontext()
    from bellhop.webhooks.poster import make_client

    return make_client(settings)
