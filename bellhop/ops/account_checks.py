"""What the doctor says of accounts beside their health: the sandbox's among those of live environments."""

from __future__ import annotations

from bellhop.ops.doctor_check import Check, CheckContext, Facts, Severity
from bellhop.sandbox.accounts import secret_of
from bellhop.sandbox.providers import default_accounts
from bellhop.store.reports import health_queries


async def _simulated(context: CheckContext) -> list[Facts]:
    """The sandbox takes every message and delivers none: whoever set its address or its account as live believes that
    guests are written to."""
    bellhop = context.settings.bellhop
    made_up = default_accounts(secret_of(bellhop.secret_key.get_secret_value()))
    identities = {(name, account.identity) for name, account in made_up.items()}
    found = await health_queries.live_accounts(context.database)
    return [
        {"property": row.property, "provider": row.provider, "identity": row.identity}
        for row in found
        if (row.provider, row.identity) in identities or row.base_url == bellhop.sandbox_url
    ]


ACCOUNT_CHECKS: tuple[Check, ...] = (
    Check(
        "sandbox_in_live", Severity.WRONG,
        "{property} (live) sends through the sandbox: {provider}, {identity}. No guest gets these messages.",
        "Set the real account: its variables at a shell, then `bellhop accounts set {property}`.",
        _simulated,
    ),
)  # fmt: skip
