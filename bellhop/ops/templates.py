"""What an operator does by command about templates that WhatsApp approves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bellhop.domain.provider_urls import Routes
from bellhop.engine import approvals
from bellhop.engine.context import Engine
from bellhop.ops.administration import scope_of
from bellhop.providers import providers


async def refresh(engine: Engine, routes: Routes, slug: str, environment: str) -> list[dict[str, Any]]:
    """Ask about all that a property's templates name. `status` None: nobody answered."""
    scope = await scope_of(engine, slug, environment)
    asking = replace(engine, providers=providers())
    return [
        {
            "content_sid": sid,
            "status": approval.status.value if approval else None,
            "variables": list(approval.variables) if approval else None,
            "rejection_reason": approval.rejection_reason if approval else None,
        }
        for sid, approval in await approvals.refresh_all(asking, routes, scope)
    ]
