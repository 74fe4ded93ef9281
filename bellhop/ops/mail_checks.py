"""What the doctor says of where answers by mail go: whether the domain leads to the provider that takes them in."""

from __future__ import annotations

import asyncio

import aiodns

from bellhop.ops.doctor_check import Check, CheckContext, Facts, Severity
from bellhop.providers import PACKAGES

LOOK_UP = 5.0
"""Seconds for the look-up of one domain."""
_NONE = frozenset({aiodns.error.ARES_ENOTFOUND, aiodns.error.ARES_ENODATA})


async def _leads_elsewhere(context: CheckContext) -> list[Facts]:
    found: list[Facts] = []
    for package in PACKAGES:
        answers = context.settings.provider(package.settings).answers_at()
        if answers is None:
            continue
        domain, wanted = answers
        leads_to = await _exchangers(domain, context.settings.webhook.nameservers)
        if leads_to is not None and wanted not in leads_to:
            found.append({"domain": domain, "wanted": wanted, "leads_to": ", ".join(leads_to) or "nobody"})
    return found


async def _exchangers(domain: str, nameservers: list[str]) -> list[str] | None:
    """Where a domain's mails go; None: nobody says."""
    resolver = aiodns.DNSResolver(nameservers or None, timeout=2.0, tries=2)
    try:
        async with asyncio.timeout(LOOK_UP):
            answer = (await resolver.query_dns(domain, "MX")).answer
    except aiodns.error.DNSError as error:
        return [] if error.args and error.args[0] in _NONE else None
    except TimeoutError:
        return None
    finally:
        await resolver.close()
    named = sorted(getattr(one.data, "exchange", "").rstrip(".").lower() for one in answer)
    return [one for one in named if one]


MAIL_CHECKS: tuple[Check, ...] = (
    Check(
        "reply_domain", Severity.WRONG,
        "Guests are asked to answer mails at {domain}, whose mails go to {leads_to} and not to {wanted}.",
        "Set its MX record to {wanted}, and the domain at the provider; or take the reply domain out of the settings "
        "and run `bellhop accounts set`.",
        _leads_elsewhere,
    ),
)  # fmt: skip
