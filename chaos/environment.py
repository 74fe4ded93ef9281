"""What the storm plays on: an embedded stack of its own with short windows, a key without a limit, a quick sandbox."""

from __future__ import annotations

from pathlib import Path

from bellhop.dev.console import Console
from bellhop.dev.proving import environment_without_settings, proving_stack
from bellhop.dev.stack import EmbeddedStack
from bellhop.domain.sweeps import SweepKind
from bellhop.webhooks.outbox import CLAIM_MARGIN
from workflows import endpoint, message

CALL_TIMEOUT = 3.5
LEASE = 4.0
LEASE_MARGIN = 0.5
SETTLE_PAUSES = (0.5, 0.5, 1.0)
RETRY_LONGEST = 2.0
HOLD = 1.5
SWEEP_EVERY = 2.0
SWEEP_GRACE = 3.0
FOLLOW_EVERY = 3.0
WEBHOOK_TIMEOUT = 2.0
WEBHOOK_PAUSES = (0.5, 1.0, *([2.0] * 40))
DISABLE_AFTER = 240.0
"""Kills may keep every post that it would take from an endpoint for a minute: it must not be switched off for that."""
CALLBACK_DELAY = 3.0
TWILIO_REPEATS = 0.25
"""The first pause before a callback is repeated; five times, doubling."""
SENDGRID_PAUSES = (0.5, 0.5, 1.0, 1.0, *([2.0] * 60))

CLIENTS_AGAIN = 3.0

ENV = {
    "DELIVERY_CALL_TIMEOUT": str(CALL_TIMEOUT),
    "DELIVERY_LEASE": str(LEASE),
    "DELIVERY_LEASE_MARGIN": str(LEASE_MARGIN),
    "DELIVERY_SETTLE_PAUSES": ",".join(map(str, SETTLE_PAUSES)),
    "DELIVERY_FOLLOW_AT": ",".join(str(FOLLOW_EVERY * turn) for turn in range(1, 200)),
    "DELIVERY_RETRY_FIRST": "0.3",
    "DELIVERY_RETRY_LONGEST": str(RETRY_LONGEST),
    "DELIVERY_HOLD": str(HOLD),
    "BELLHOP_SWEEP_EVERY": str(SWEEP_EVERY),
    **{f"BELLHOP_SWEEP_EVERY_{kind.name}": str(SWEEP_EVERY) for kind in SweepKind},
    "BELLHOP_SWEEP_GRACE": str(SWEEP_GRACE),
    "WEBHOOK_TIMEOUT": str(WEBHOOK_TIMEOUT),
    "WEBHOOK_RETRY_PAUSES": ",".join(map(str, WEBHOOK_PAUSES)),
    "WEBHOOK_DISABLE_AFTER": str(DISABLE_AFTER),
    "SANDBOX_TWILIO_RETRY_PAUSE": str(TWILIO_REPEATS),
    "SANDBOX_SENDGRID_RETRY_PAUSES": ",".join(map(str, SENDGRID_PAUSES)),
    "SANDBOX_TWILIO_SENT_AFTER": "0.05",
    "SANDBOX_TWILIO_DELIVERED_AFTER": "0.2",
    "SANDBOX_TWILIO_READ_AFTER": "0.4",
    "SANDBOX_SENDBLUE_RETRY_PAUSE": str(TWILIO_REPEATS),
    "SANDBOX_SENDBLUE_SENT_AFTER": "0.05",
    "SANDBOX_SENDBLUE_DELIVERED_AFTER": "0.2",
    "SANDBOX_SENDGRID_PROCESSED_AFTER": "0.05",
    "SANDBOX_SENDGRID_DELIVERED_AFTER": "0.2",
    "SANDBOX_SENDGRID_OPEN_AFTER": "0.4",
    "SANDBOX_SENDGRID_EMAIL_ACTIVITY": "true",
}

WINDOWS: dict[str, str] = {
    "a provider call": f"{CALL_TIMEOUT:g} s, its lease {LEASE:g} s + {LEASE_MARGIN:g} s",
    "an unknown outcome": f"asked about after {', '.join(f'{pause:g}' for pause in SETTLE_PAUSES)} s",
    "a silent provider": f"asked every {FOLLOW_EVERY:g} s",
    "a call that was refused": f"made again after at most {RETRY_LONGEST:g} s (+ 20 %)",
    "an account at fault": f"tried again every {HOLD:g} s",
    "a provider's callback": f"repeated up to {TWILIO_REPEATS * 2**4:g} s later",
    "a customer's endpoint": f"{WEBHOOK_TIMEOUT:g} s, tried again after {max(WEBHOOK_PAUSES):g} s (+ 10 %)",
    "a client": f"repeats what was not answered after at most {CLIENTS_AGAIN:g} s (+ 25 %)",
    "recovery": f"every {SWEEP_EVERY:g} s, of what is {SWEEP_GRACE:g} s old",
}
"""The windows that were configured, and what each comes to. None of them runs twice for one message after the last
fault, but they may run one after the other."""


OWN: dict[str, str] = {
    "a killed worker": f"noticed after {message.HEARTBEAT_TIMEOUT.total_seconds():g} s",
    "a killed drainer": f"noticed after {endpoint.HEARTBEAT_TIMEOUT.total_seconds():g} s, its posts again after "
    f"{WEBHOOK_TIMEOUT + CLAIM_MARGIN:g} s",
}
"""The engine's own, which nobody configures."""


def build(state: Path, console: Console) -> EmbeddedStack:
    """A stack on fresh data in `state`, without the person's own settings."""
    return proving_stack(state, "chaos", console, {**environment_without_settings(), **ENV})
