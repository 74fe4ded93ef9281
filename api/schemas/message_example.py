"""A message as the API shows it."""

from __future__ import annotations

from typing import Any

EXAMPLE: dict[str, Any] = {
    "id": "omsg_01kaj3p6zve5jvqzkqdk1w4yb2",
    "property_id": "pty_01kaj3nm2xf7k8c9d0e1f2g3h4",
    "guest_id": "gst_01kaj3p0m5e6s7t8v9w0x1y2z3",
    "channel": "sms",
    "status": "sent",
    "recipient": "+13055551234",
    "subject": None,
    "content": "Hi Jordan, your ocean view suite is ready.",
    "scheduled_at": None,
    "sent_at": "2026-03-15T10:00:01.204518Z",
    "created_at": "2026-03-15T10:00:00.981132Z",
    "metadata": {"booking": "GSR-1842"},
    "priority": "normal",
    "category": "transactional",
    "valid_until": None,
    "validity": None,
    "ignore_quiet_hours": False,
    "ignore_frequency_cap": False,
    "segments": 1,
    "encoding": "GSM-7",
    "template": None,
    "options": None,
    "short_links": None,
    "link_tracking": False,
    "media": [],
    "resend_of": None,
    "from": None,
    "fallback": [],
    "service": None,
    "was_downgraded": None,
    "chosen": None,
    "conversation_id": None,
    "stay_id": None,
    "recipients": None,
    "group_id": None,
}
