"""What the bench runs on: an embedded stack on fresh data, a sandbox that answers soon."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from bellhop.dev.console import Console
from bellhop.dev.proving import proving_stack
from bellhop.dev.stack import EmbeddedStack

DELIVERED_AFTER = 0.15
"""Seconds after it took a text in which Twilio's simulator reports it delivered."""
SANDBOX_PACE = {
    "twilio_sent_after": 0.05,
    "twilio_delivered_after": DELIVERED_AFTER,
    "twilio_read_after": 0.25,
    "sendgrid_processed_after": 0.05,
    "sendgrid_delivered_after": 0.15,
    "sendgrid_open_after": 0.3,
}


def build(state: Path, console: Console) -> EmbeddedStack:
    """A stack on fresh data in `state`, everything as `bellhop dev` runs it, but for the webhook receiver."""
    shutil.rmtree(state, ignore_errors=True)
    own = {name: value for name, value in os.environ.items() if name != "TEMPORAL_ADDRESS"}
    return proving_stack(state, "bench", console, own)
