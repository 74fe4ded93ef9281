"""What the demonstration sends: a message on each channel, one that is not wanted, one that takes another way."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PHONE = "+13055551234"
MAILBOX = "jordan.mitchell@example.com"
DEVICE = "a-device-of-jordans:APA91b"
OPTED_OUT = "+13055550142"
"""The sandbox's phone of somebody who says STOP."""
SWITCHED_OFF = "+13055553003"
"""A phone that the sandbox cannot reach: sent, then undelivered."""
TEMPLATE = {
    "name": "suite_ready",
    "locale": "en",
    "content": "Hi {{ first_name }}, your {{ room }} is ready. Early check-in is available from {{ from }}.",
}
GUEST = {
    "first_name": "Jordan", "last_name": "Mitchell", "email": MAILBOX, "phone": PHONE, "language": "en",
    "external_id": "DEMO-1",
}  # fmt: skip


def picture(width: int = 320, height: int = 180) -> bytes:
    """The sea under an evening sky, as PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = bytearray()
    for at in range(height):
        down = at / height
        sky = (255 - int(90 * down), 150 + int(40 * down), 90 + int(110 * down))
        rows += b"\0" + bytes(sky if down < 0.6 else (20, 90 + int(60 * down), 150)) * width
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


@dataclass(frozen=True, slots=True)
class Sample:
    """One message, and what is to become of it."""

    label: str
    message: Mapping[str, Any]
    wanted: tuple[str, ...]
    """The statuses of which one is its end."""
    events: tuple[str, ...]
    """The webhooks about it, in this order."""
    code: str | None = None
    """Why it fails, where it is to."""
    to_guest: bool = False
    """Whether its recipient is Jordan, by the id of the guest."""
    with_picture: bool = False


SAMPLES: tuple[Sample, ...] = (
    Sample(
        "an SMS from a template",
        {
            "channel": "sms",
            "recipient": PHONE,
            "template": {
                "name": TEMPLATE["name"],
                "parameters": {"first_name": "Jordan", "room": "ocean view suite", "from": "1pm"},
            },
        },
        ("delivered", "read"),
        ("message.sent", "message.delivered"),
    ),
    Sample(
        "an e-mail with a picture",
        {
            "channel": "email",
            "recipient": MAILBOX,
            "subject": "Your stay at Grand Sunset Resort starts tomorrow",
            "content": "<h1>See you tomorrow</h1><p>Hi Jordan, your room is confirmed. The door code comes by SMS.</p>",
        },
        ("read",),
        ("message.sent", "message.delivered", "message.read"),
        with_picture=True,
    ),
    Sample(
        "a WhatsApp message, in answer to Jordan's",
        {"channel": "whatsapp", "recipient": PHONE, "content": "Welcome, Jordan! We are happy to help."},
        ("read",),
        ("message.sent", "message.delivered", "message.read"),
    ),
    Sample(
        "an iMessage with balloons",
        {
            "channel": "imessage",
            "recipient": PHONE,
            "content": "Happy birthday, Jordan!",
            "options": {"send_style": "balloons"},
        },
        ("delivered", "read"),
        ("message.sent", "message.delivered"),
    ),
    Sample(
        "a push notification",
        {
            "channel": "push",
            "recipient": DEVICE,
            "content": "The pool is open until 10pm.",
            "options": {"title": "Grand Sunset Resort"},
        },
        ("sent",),
        ("message.sent",),
    ),
    Sample(
        "an in-app message",
        {"channel": "in_app", "content": "Your table is reserved for 8pm.", "options": {"title": "Dinner"}},
        ("sent",),
        ("message.sent",),
        to_guest=True,
    ),
    Sample(
        "an SMS to somebody who said STOP",
        {"channel": "sms", "recipient": OPTED_OUT, "content": "Nobody is to read this."},
        ("failed",),
        ("message.failed",),
        code="opted_out",
    ),
    Sample(
        "an SMS that does not arrive, and goes by e-mail",
        {
            "channel": "sms",
            "recipient": SWITCHED_OFF,
            "content": "Your shuttle leaves at 9am.",
            "fallback": [{"channel": "email", "recipient": MAILBOX, "subject": "Your shuttle"}],
        },
        ("delivered",),
        ("message.sent", "message.fallback", "message.sent", "message.delivered"),
    ),
)
