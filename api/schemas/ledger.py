"""The ledger on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from api.schemas.fields import Instant, Query, Shown, wrong
from api.schemas.messages import ChannelWord

_FIRST_YEAR, _LAST_YEAR = 2000, 2199


def _of_our_time(value: datetime) -> datetime:
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise wrong("datetime_too_far", f"expected a time between the years {_FIRST_YEAR} and {_LAST_YEAR}")
    return value


Moment = Annotated[Instant, AfterValidator(_of_our_time)]
Seconds = Annotated[float | None, Field(description="Seconds; null where nothing was measured.")]


class AskLedger(Query):
    """Which span, and of which channel."""

    since: Annotated[
        Moment | None,
        Field(alias="from", description="Accepted at this time or later. Default: 24 hours before `to`."),
    ] = None
    until: Annotated[
        Moment | None,
        Field(alias="to", description="Accepted before this time. Default: now. At most 31 days after `from`."),
    ] = None
    channel: Annotated[ChannelWord | None, Field(description="Only this channel, and webhooks about it.")] = None


class Lateness(Shown):
    """How long after its time something happened, in seconds."""

    count: Annotated[int, Field(description="How many were measured.")]
    p50: Seconds
    p95: Seconds
    p99: Seconds
    worst: Seconds


class Overdue(Shown):
    """Messages whose time has come and that have not gone out yet."""

    count: int
    worst: Annotated[float | None, Field(description="How late the latest of them is now, in seconds.")]


class PendingBecause(Shown):
    """Why the pending ones have not gone out. The sum is `pending`."""

    waiting: Annotated[int, Field(description="For their `scheduled_at`.")]
    held: Annotated[int, Field(description="By a provider account that is to be mended.")]
    retrying: Annotated[int, Field(description="The provider did not take them; they are being tried again.")]
    due: Annotated[int, Field(description="None of these: their time has come and they are on their way.")]


class Figures(Shown):
    """Messages by where they stand. `accepted` is always the sum of `read`, `delivered`, `sent`, `failed`, `cancelled`,
    `pending` and `unknown`."""

    accepted: Annotated[int, Field(description="How many were accepted in the span.")]
    read: int
    delivered: int
    sent: Annotated[int, Field(description="A provider has them; no receipt yet says that they arrived.")]
    failed: int
    cancelled: int
    pending: Annotated[int, Field(description="Waiting or on their way; no provider has them.")]
    unknown: Annotated[
        int, Field(description="A provider was called and did not say whether it took them. Being settled.")
    ]
    failures: Annotated[dict[str, int], Field(description="`failed` by failure code.")]
    pending_because: PendingBecause
    unknown_longest: Annotated[
        float | None, Field(description="Seconds since the oldest call whose outcome is unknown.")
    ]
    erased: Annotated[int, Field(description="How many of `accepted` are tombstones: their guest was erased.")]
    lateness: Annotated[
        Lateness, Field(description="From the time they were due to the provider's acceptance, of those that went out.")
    ]
    overdue: Overdue


class ChannelFigures(Figures):
    """The figures of one channel."""

    channel: ChannelWord


class WebhookFigures(Shown):
    """Deliveries to webhook endpoints that were first owed in the span. `owed` is the sum of the next four."""

    owed: int
    delivered: int
    pending: int
    failed: Annotated[int, Field(description="Given up after the last try.")]
    abandoned: Annotated[int, Field(description="Their endpoint was deleted first.")]
    pending_longest: Annotated[float | None, Field(description="Seconds since the oldest pending one was first owed.")]
    lateness: Annotated[Lateness, Field(description="From the event to its delivery, of those delivered.")]


class LinkFigures(Shown):
    """Short links of messages accepted in the span."""

    made: int
    followed: Annotated[int, Field(description="How many of them a person followed, as far as that can be told.")]
    clicks: Annotated[int, Field(description="By people.")]
    bot_clicks: Annotated[int, Field(description="By machines.")]


_LATENESS: dict[str, Any] = {"count": 1491, "p50": 0.041, "p95": 0.118, "p99": 0.64, "worst": 3.207}
_EXAMPLE: dict[str, Any] = {
    "accepted": 1500, "read": 312, "delivered": 1160, "sent": 15, "failed": 6, "cancelled": 3, "pending": 3,
    "unknown": 1, "failures": {"address_invalid": 4, "opted_out": 1, "bounced": 1},
    "pending_because": {"waiting": 2, "held": 0, "retrying": 1, "due": 0},
    "unknown_longest": 8.25, "erased": 0, "lateness": _LATENESS, "overdue": {"count": 2, "worst": 8.301},
}  # fmt: skip


class LedgerOf(Shown):
    """What became of everything accepted in a span, at one moment."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "from": "2026-03-15T10:00:00.000000Z",
                    "to": "2026-03-16T10:00:00.000000Z",
                    "as_of": "2026-03-16T10:00:00.981132Z",
                    "total": _EXAMPLE,
                    "channels": [{"channel": "sms", **_EXAMPLE}],
                    "webhooks": {
                        "owed": 2971, "delivered": 2970, "pending": 1, "failed": 0, "abandoned": 0,
                        "pending_longest": 4.5, "lateness": {**_LATENESS, "count": 2970},
                    },
                    "links": {"made": 420, "followed": 97, "clicks": 131, "bot_clicks": 388},
                }
            ]
        }
    }  # fmt: skip

    since: Annotated[datetime, Field(alias="from")]
    until: Annotated[datetime, Field(alias="to")]
    as_of: Annotated[datetime, Field(description="The moment the figures are true of.")]
    total: Figures
    channels: Annotated[list[ChannelFigures], Field(description="Those with a message in the span.")]
    webhooks: WebhookFigures
    links: LinkFigures
