"""Twilio's words: its error codes (what each means when a message is created, and why a message failed that bears it
later), its statuses, and what it calls an opt-out.

Sources: twilio.com/docs/api/errors and the pages it links. Twilio says that codes may change: an unknown one falls
back on the HTTP status (create) or on `undelivered` (callback) and is kept as it came.
"""

from __future__ import annotations

from dataclasses import dataclass

from bellhop.domain.consents import Effect
from bellhop.domain.delivery_ports import SendKind
from bellhop.domain.failures import FailureCode
from bellhop.domain.statuses import Stage


@dataclass(frozen=True, slots=True)
class Code:
    """One row: the outcome of a create answered with it, the reason of a failure reported with it, the effect."""

    kind: SendKind
    failure: FailureCode
    effect: Effect | None = None


_WRONG_ADDRESS = Code(SendKind.REFUSED, FailureCode.ADDRESS_INVALID)
# No HARD_BOUNCE: 30005 and 30006 are also reported for a carrier's passing trouble, and a guest whose number is
# shut out for good because of one cannot be reached in an emergency. A repeated failure costs less.
_TEMPLATE = Code(SendKind.REFUSED, FailureCode.TEMPLATE_REFUSED)
_UNREACHABLE = Code(SendKind.REFUSED, FailureCode.UNREACHABLE)
_BLOCKED = Code(SendKind.REFUSED, FailureCode.BLOCKED)
_CONTENT = Code(SendKind.REFUSED, FailureCode.CONTENT_REFUSED)
_FILE = Code(SendKind.REFUSED, FailureCode.MEDIA_REFUSED)
_SETUP = Code(SendKind.REFUSED, FailureCode.CONFIGURATION)
"""This sender, country or feature is not set up: others of the account may work, so the account is not held."""
_ACCOUNT = Code(SendKind.ACCOUNT, FailureCode.CONFIGURATION)
_BUSY = Code(SendKind.RETRY, FailureCode.LIMIT_REACHED)
_FAULT = Code(SendKind.RETRY, FailureCode.PROVIDER_ERROR)
_UNKNOWN = Code(SendKind.UNKNOWN, FailureCode.OUTCOME_UNKNOWN)

CODES: dict[int, Code] = {
    # The account
    20003: _ACCOUNT,  # authentication failed
    20005: _ACCOUNT,  # account not active (suspended, closed)
    20006: _ACCOUNT,  # access denied
    20008: _ACCOUNT,  # not with test credentials
    20403: _ACCOUNT,  # forbidden
    20404: _ACCOUNT,  # no such account
    30002: _ACCOUNT,  # account suspended
    # Twilio itself
    20429: _BUSY,  # "429 is never processed, always safe to retry" (errors/20429)
    # Internal error, service unavailable: the message may exist all the same. A look-up tells, so asking costs minutes
    # at worst, where believing could cost the guest a second copy.
    20500: _UNKNOWN,
    20503: _UNKNOWN,
    20502: _UNKNOWN,
    20504: _UNKNOWN,
    21611: _BUSY,  # the sender's queue is full (10 hours)
    30001: _BUSY,  # queue overflow
    30017: Code(SendKind.RETRY, FailureCode.UNREACHABLE),  # carrier network congestion
    30022: _BUSY,  # rate of the sender or campaign
    30023: _BUSY,  # daily cap of the brand, until midnight Pacific
    30027: _BUSY,  # daily cap with T-Mobile
    30020: _FAULT,
    30021: _FAULT,
    30410: _FAULT,  # provider time-out
    30036: Code(SendKind.REFUSED, FailureCode.EXPIRED),  # validity period over
    63009: _FAULT,
    63010: _FAULT,
    63011: _FAULT,
    63012: _FAULT,
    63023: _FAULT,
    63037: _FAULT,
    63017: _BUSY,  # channel rate
    63018: _BUSY,
    63038: _BUSY,  # account's daily limit
    63039: _BUSY,
    63029: Code(SendKind.RETRY, FailureCode.UNREACHABLE),  # the guest's phone could not load the template
    # The address
    21211: _WRONG_ADDRESS,  # invalid To
    21214: _WRONG_ADDRESS,  # To cannot be reached
    21217: _WRONG_ADDRESS,
    21266: _WRONG_ADDRESS,  # To and From are the same
    21401: _WRONG_ADDRESS,
    21604: _WRONG_ADDRESS,  # no To
    21612: _WRONG_ADDRESS,  # no route between this To and From
    21614: _WRONG_ADDRESS,  # not a mobile number
    30005: _WRONG_ADDRESS,  # unknown destination handset
    30006: _WRONG_ADDRESS,  # landline or unreachable carrier
    30011: _WRONG_ADDRESS,  # MMS not supported there
    63003: _WRONG_ADDRESS,
    63024: _WRONG_ADDRESS,  # "invalid message recipient": no WhatsApp there
    63031: _WRONG_ADDRESS,  # To and From are the same
    63036: _WRONG_ADDRESS,  # RCS not reachable there
    30003: _UNREACHABLE,  # handset off or out of range
    30008: Code(SendKind.REFUSED, FailureCode.UNDELIVERED),  # "unknown error" of the carrier
    # The guest, or the guest's carrier, refuses
    21610: Code(SendKind.REFUSED, FailureCode.OPTED_OUT, Effect.PROVIDER_REFUSAL),  # replied STOP to this sender
    30004: _BLOCKED,
    # Without an effect on the number: what is said of a number binds texts as well, and who blocks a hotel on WhatsApp
    # has not said STOP to those.
    63014: _BLOCKED,
    63032: _BLOCKED,  # WhatsApp's own limit on what this guest gets
    63033: _BLOCKED,
    63049: _BLOCKED,
    # The text
    21602: _CONTENT,  # no body
    21617: _CONTENT,  # above 1,600 characters
    21619: _CONTENT,
    # A file was not to be had at its address, which is one of ours: the API may be away for a moment.
    21620: Code(SendKind.RETRY, FailureCode.MEDIA_UNAVAILABLE),
    21621: _SETUP,  # this sender carries no files
    21622: _SETUP,  # nor does this account
    21623: _FILE,  # too many
    11751: _FILE,  # too large together
    30007: _CONTENT,  # filtered by a carrier
    30019: _FILE,  # too large
    63005: _CONTENT,
    63006: _CONTENT,
    63013: _CONTENT,
    63019: _CONTENT,  # a file could not be loaded
    63021: _CONTENT,
    63025: _CONTENT,
    63026: _CONTENT,
    63030: _CONTENT,
    63034: _CONTENT,
    # WhatsApp: outside the 24 hours without a template. Said in a callback only, after a 201 (errors/63016).
    63016: Code(SendKind.REFUSED, FailureCode.WHATSAPP_TEMPLATE_REQUIRED),
    21654: _TEMPLATE,  # no ContentSid
    21655: _TEMPLATE,  # an invalid one
    21656: _TEMPLATE,  # invalid variables
    63027: _TEMPLATE,  # not in this language
    63028: _TEMPLATE,  # number of variables
    63040: _TEMPLATE,  # rejected
    63041: _TEMPLATE,  # paused
    # The sender, country or feature
    21212: _SETUP,  # invalid From
    21408: _SETUP,  # country not enabled
    21603: _SETUP,  # no From
    21606: _SETUP,  # From is not ours or cannot send
    21609: _SETUP,  # callback URL invalid
    21701: _SETUP,
    21702: _SETUP,
    21703: _SETUP,
    21704: _SETUP,
    21705: _SETUP,
    21910: _SETUP,  # To and From of different channels
    30018: _SETUP,
    30024: _SETUP,
    30032: _SETUP,  # toll-free number not verified
    30034: _SETUP,  # number not registered (A2P 10DLC)
    63001: _SETUP,
    63007: _SETUP,
    63008: _SETUP,
    63015: _SETUP,  # the guest has not joined the WhatsApp sandbox
    63002: _SETUP,
    63020: _SETUP,  # Meta's business manager
    63022: _SETUP,  # display name
    63035: _SETUP,  # RCS agent not launched
    63062: _SETUP,  # terms of marketing messages not accepted
    **dict.fromkeys(range(92_001, 92_009), _SETUP),  # Content API
    **dict.fromkeys(range(35_111, 35_127), _SETUP),  # scheduling through a Messaging Service
}

STAGES: dict[str, Stage | None] = {
    # twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
    "accepted": None,
    "scheduled": None,
    "queued": None,
    "sending": None,
    "receiving": None,
    "received": None,
    "partially_delivered": None,
    "sent": Stage.SENT,
    "delivered": Stage.DELIVERED,
    "read": Stage.READ,
    "undelivered": Stage.UNDELIVERED,
    "failed": Stage.UNDELIVERED,
    "canceled": Stage.UNDELIVERED,  # not by us: in Twilio's console or through its API
}
NOT_SENT_AFTER_ALL = frozenset({"failed", "undelivered", "canceled"})
"""Statuses, answered to a create, of a message that will not go out."""
OPT_OUT_TYPES: dict[str, Effect | None] = {"STOP": Effect.OPT_OUT, "START": Effect.OPT_IN, "HELP": None}
ANSWERED = frozenset({
    "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "START", "YES", "UNSTOP", "HELP",
    "INFO",
})  # fmt: skip
"""Whole texts, in any case, that Twilio answers itself at a long code or toll-free number of the US or Canada, where
nobody has switched that off (help.twilio.com 223134027). Where a Messaging Service has Advanced Opt-Out instead, the
callback has an `OptOutType`."""
