"""What happens to a message at the simulated Sendblue, and when; its magic numbers."""

from __future__ import annotations

from bellhop.sandbox.magic import Magic, MagicTable
from bellhop.sandbox.scenarios import Step

MOMENTS: dict[str, tuple[str, float]] = {
    "REGISTERED": ("sendblue_sent_after", 0.2),
    "PENDING": ("sendblue_sent_after", 0.4),
    "ACCEPTED": ("sendblue_sent_after", 0.6),
    "SENT": ("sendblue_sent_after", 1.0),
    "DELIVERED": ("sendblue_delivered_after", 1.0),
    "DECLINED": ("sendblue_sent_after", 1.0),
    "ERROR": ("sendblue_delivered_after", 1.0),
}

TONES = {"DELIVERED": "good", "RECEIVED": "good", "ERROR": "bad", "DECLINED": "bad"}

USUAL: tuple[Step, ...] = (Step("SENT"), Step("DELIVERED"))
DOWNGRADED = (("service", "SMS"), ("was_downgraded", True))

REFUSALS: dict[int, tuple[str, str]] = {
    4293: ("LINE_DAILY_LIMIT_REACHED", "This line has reached its daily limit of new contacts"),
    4294: ("PRE_REPLY_LIMIT_REACHED", "This contact has not replied yet"),
    4002: ("BLOCKED", "This number is blocked"),
    2610: ("OPTED_OUT", "This contact has opted out"),
}
"""How a send to a magic number is refused: our own number for it, Sendblue's key, its words."""

MAGIC = MagicTable(
    "numbers",
    (
        Magic("+13055554002", "refused: the number is blocked (4002)", refused=4002),
        Magic("+13055554293", "refused: LINE_DAILY_LIMIT_REACHED (HTTP 400, error_code 429)", refused=4293),
        Magic("+13055554294", "refused: PRE_REPLY_LIMIT_REACHED", refused=4294),
        Magic("+13055552610", "refused: OPTED_OUT", refused=2610),
        Magic("+13055554001", "declined after acceptance (DECLINED)", steps=(Step("DECLINED", 4002),)),
        Magic("+13055551001", "SENT, then ERROR 10001 failed to send", steps=(Step("SENT"), Step("ERROR", 10001))),
        Magic(
            "+13055557676",
            "no iMessage: goes out as SMS (was_downgraded), and SENT is the last word",
            steps=(Step("SENT", fields=DOWNGRADED),),
        ),
        Magic(
            "+13055557272",
            "no iMessage: goes out as RCS, and is delivered",
            steps=(
                Step("SENT", fields=(("service", "RCS"), ("was_downgraded", True))),
                Step("DELIVERED", fields=(("service", "RCS"), ("was_downgraded", True))),
            ),
        ),
        Magic(
            "+13055559033",
            "every status: REGISTERED, PENDING, ACCEPTED, SENT, DELIVERED",
            steps=(Step("REGISTERED"), Step("PENDING"), Step("ACCEPTED"), Step("SENT"), Step("DELIVERED")),
        ),
        Magic("+13055559031", "stays QUEUED: nothing ever happens", steps=()),
        Magic("+13055559032", "SENT, and no more", steps=(Step("SENT"),)),
    ),
)
