"""What happens to notifications, and the tokens that say otherwise."""

from __future__ import annotations

from bellhop.sandbox.magic import Magic, MagicTable, hexadecimal
from bellhop.sandbox.scenarios import Step

MOMENTS: dict[str, tuple[str, float]] = {"sent": ("apns_sent_after", 1.0)}
TONES = {"sent": "good", "read": "best"}
USUAL: tuple[Step, ...] = (Step("sent"),)

REASONS: dict[int, tuple[int, str]] = {
    # Numbers of our own: Apple's reasons have none.
    1: (410, "Unregistered"),
    2: (410, "ExpiredToken"),
    3: (400, "BadDeviceToken"),
    4: (400, "DeviceTokenNotForTopic"),
    5: (429, "TooManyRequests"),
    6: (400, "TopicDisallowed"),
    7: (503, "Shutdown"),
    8: (500, "InternalServerError"),
}

MAGIC = MagicTable(
    "hexadecimal",
    tuple(
        Magic(hexadecimal(f"sandbox:{word}"), f"`sandbox:{word}`: {says}", refused=number)
        for word, says, number in (
            ("unregistered", "410 Unregistered: the app is gone", 1),
            ("expired", "410 ExpiredToken", 2),
            ("invalid", "400 BadDeviceToken: a token of the other environment", 3),
            ("mismatch", "400 DeviceTokenNotForTopic: another app's", 4),
            ("quota", "429 TooManyRequests: too many to this device", 5),
            ("disallowed", "400 TopicDisallowed: the key may not send for this app", 6),
            ("shutdown", "503 Shutdown: not accepted", 7),
            ("internal", "500 InternalServerError", 8),
        )
    ),
)
