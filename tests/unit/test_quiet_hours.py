"""Quiet hours by the clock where a guest is: across midnight, on the days when clocks are set, in half-hour zones."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.domain import policy_settings
from bellhop.domain.categories import Category
from bellhop.domain.channels import Channel
from bellhop.domain.policy_settings import BadSetting
from bellhop.domain.quiet_hours import By, Quiet, Span, Zone, facts_of, of_number, sentence, zone_of

MARKETING = frozenset({Category.MARKETING})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def span(begins: str, ends: str) -> Span:
    return Span(MARKETING, None, time.fromisoformat(begins), time.fromisoformat(ends))


def quiet(zone: str, *hours: tuple[str, str]) -> Quiet:
    return Quiet(tuple(span(*one) for one in hours), Zone(ZoneInfo(zone), By.PROPERTY))


NIGHT = ("22:00", "08:00")


@pytest.mark.parametrize(
    ("zone", "hours", "now", "until"),
    [
        # In one day, and across midnight; the first moment is in it, and the last is not.
        ("UTC", [("12:00", "14:00")], "2026-03-10T12:00+00:00", "2026-03-10T14:00+00:00"),
        ("UTC", [("12:00", "14:00")], "2026-03-10T11:59:59.999999+00:00", None),
        ("UTC", [("12:00", "14:00")], "2026-03-10T14:00+00:00", None),
        ("UTC", [NIGHT], "2026-03-10T21:59+00:00", None),
        ("UTC", [NIGHT], "2026-03-10T22:00+00:00", "2026-03-11T08:00+00:00"),
        ("UTC", [NIGHT], "2026-03-11T00:00+00:00", "2026-03-11T08:00+00:00"),
        ("UTC", [NIGHT], "2026-03-11T07:59:59+00:00", "2026-03-11T08:00+00:00"),
        ("UTC", [NIGHT], "2026-12-31T23:30+00:00", "2027-01-01T08:00+00:00"),
        # Where the guest is: half-hour and quarter-hour zones, and a day ahead.
        ("Asia/Kolkata", [NIGHT], "2026-03-10T16:29+00:00", None),
        ("Asia/Kolkata", [NIGHT], "2026-03-10T16:30+00:00", "2026-03-11T02:30+00:00"),
        ("Asia/Kathmandu", [NIGHT], "2026-03-10T16:15+00:00", "2026-03-11T02:15+00:00"),
        ("Pacific/Kiritimati", [NIGHT], "2026-03-10T08:00+00:00", "2026-03-10T18:00+00:00"),
        # Nights in which clocks are set forward, and back: an hour less, an hour more.
        ("Europe/Lisbon", [NIGHT], "2026-03-28T22:00+00:00", "2026-03-29T08:00+01:00"),
        ("Europe/Lisbon", [NIGHT], "2026-10-24T22:00+01:00", "2026-10-25T08:00+00:00"),
        ("Australia/Lord_Howe", [NIGHT], "2026-10-03T22:00+10:30", "2026-10-04T08:00+11:00"),
        # It ends, or begins, at a time that the clock leaves out: when it does.
        ("Europe/Lisbon", [("23:00", "01:30")], "2026-03-28T23:30+00:00", "2026-03-29T02:00+01:00"),
        ("Europe/Lisbon", [("01:30", "05:00")], "2026-03-29T00:59:59+00:00", None),
        ("Europe/Lisbon", [("01:30", "05:00")], "2026-03-29T02:00+01:00", "2026-03-29T05:00+01:00"),
        ("Europe/Lisbon", [("01:10", "01:50")], "2026-03-29T02:00+01:00", None),
        ("Africa/Cairo", [("22:00", "00:30")], "2026-04-23T23:00+02:00", "2026-04-24T01:00+03:00"),
        # A time that comes twice: from the first of them, to the last.
        ("Europe/Lisbon", [("23:00", "01:30")], "2026-10-25T01:45+01:00", "2026-10-25T01:30+00:00"),
        ("Europe/Lisbon", [("01:30", "05:00")], "2026-10-25T01:30+01:00", "2026-10-25T05:00+00:00"),
        ("Europe/Lisbon", [("01:30", "05:00")], "2026-10-25T01:10+00:00", "2026-10-25T05:00+00:00"),
        # Several: one begins before the other is over, or just as it is.
        ("UTC", [("12:00", "14:00"), ("13:30", "15:00")], "2026-03-10T12:30+00:00", "2026-03-10T15:00+00:00"),
        ("UTC", [NIGHT, ("08:00", "09:00")], "2026-03-10T23:00+00:00", "2026-03-11T09:00+00:00"),
        ("UTC", [NIGHT, ("12:00", "14:00")], "2026-03-10T23:00+00:00", "2026-03-11T08:00+00:00"),
    ],
)
def test_until_when_a_guest_is_left_alone(zone: str, hours: list[tuple[str, str]], now: str, until: str | None) -> None:
    assert quiet(zone, *hours).over(at(now)) == (at(until) if until else None)


moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda when: when.replace(tzinfo=UTC))
zones = st.sampled_from(
    ["UTC", "Europe/Lisbon", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Cairo",
     "America/Santiago", "Asia/Beirut", "America/St_Johns", "Pacific/Chatham", "Africa/Casablanca"]
)  # fmt: skip
clocks = st.times().map(lambda when: f"{when:%H:%M}")


@given(zones, clocks, clocks, moments)
def test_a_wait_ends_and_what_is_then_is_not_quiet(zone: str, begins: str, ends: str, now: datetime) -> None:
    if begins == ends:
        return
    kept = quiet(zone, (begins, ends))
    until = kept.over(now)
    local = now.astimezone(ZoneInfo(zone)).time()
    first, last = time.fromisoformat(begins), time.fromisoformat(ends)
    inside = first <= local < last if first < last else not last <= local < first
    if inside:
        assert until is not None, "by the clock on the wall it is quiet"
    if until is not None:
        assert now < until <= now + timedelta(hours=26)
        assert kept.over(until) is None
        assert kept.over(until - timedelta(microseconds=1)) == until


def test_hours_that_leave_no_time_keep_a_message_waiting_without_end() -> None:
    now = at("2026-03-10T12:00+00:00")
    until = quiet("UTC", ("08:00", "20:00"), ("20:00", "08:00")).over(now)
    assert until is not None and until > now + timedelta(days=1)


NOW = at("2026-07-01T12:00+00:00")


@pytest.mark.parametrize(
    ("phone", "zone"),
    [
        ("+13055551234", "America/New_York"),
        ("+12125551234", "America/New_York"),
        ("+447911123456", "Europe/Guernsey"),  # all of the United Kingdom's clocks are one
        ("+919812345678", "Asia/Calcutta"),
        ("+351912345678", None),  # the Azores, too
        ("+61412345678", None),
        ("+18005551234", None),
        ("+79161234567", None),
        ("gst_1", None),
        ("+999", None),
    ],
)
def test_the_clock_of_a_number(phone: str, zone: str | None) -> None:
    found = of_number(phone, NOW)
    assert (found.key if found else None) == zone


def test_where_a_guest_is() -> None:
    def zone(in_house: bool, own: str | None, *phones: str | None) -> tuple[str, By]:
        found = zone_of("Europe/Lisbon", in_house=in_house, own=own, phones=phones, now=NOW)
        return found.clock.key, found.by

    assert zone(True, "Asia/Tokyo", "+13055551234") == ("Europe/Lisbon", By.STAY)
    assert zone(False, "Asia/Tokyo", "+13055551234") == ("Asia/Tokyo", By.GUEST)
    assert zone(False, "Mars/Base", None, "+13055551234") == ("America/New_York", By.PHONE)
    assert zone(False, None, "+61412345678", None) == ("Europe/Lisbon", By.PROPERTY)
    assert zone_of("Nowhere", in_house=True, own=None, phones=(), now=NOW).clock.key == "UTC"


def test_what_the_timeline_says() -> None:
    kept = Quiet((span("21:30", "08:00"),), Zone(ZoneInfo("Asia/Tokyo"), By.PHONE))
    now = at("2026-03-10T23:00+09:00")
    until = kept.over(now)
    assert until is not None
    facts = facts_of(kept, now, until)
    assert facts == {"from": "21:30", "to": "08:00", "until": "08:00", "by": "phone"}, "not which zone"
    assert sentence(facts) == (
        "waits until 08:00 in the guest's time zone (by the country or region of the guest's number), because the "
        "property leaves guests alone there from 21:30 to 08:00"
    )


HOURS: dict[str, Any] = {"categories": ["marketing"], "from": "21:30", "to": "08:00"}
CAP: dict[str, Any] = {"category": "marketing", "max": 2, "per": "P7D"}


def test_what_is_set_is_read() -> None:
    settings = {
        "quiet_hours": [HOURS, {**HOURS, "categories": ["conversational"], "channels": ["sms"]}],
        "frequency_caps": [CAP, {**CAP, "per": "P1DT12H30M"}, {**CAP, "category": "transactional", "per": "P2W"}],
    }
    policy_settings.check(settings)
    first, second = policy_settings.quiet_hours(settings)
    assert (first.begins, first.ends) == (time(21, 30), time(8))
    assert first.of(Category.MARKETING, Channel.EMAIL) and not first.of(Category.CONVERSATIONAL, Channel.EMAIL)
    assert second.of(Category.CONVERSATIONAL, Channel.SMS) and not second.of(Category.CONVERSATIONAL, Channel.EMAIL)
    spans = [(cap.most, cap.per) for cap in policy_settings.caps(settings, Category.MARKETING)]
    assert spans == [(2, timedelta(days=7)), (2, timedelta(days=1, hours=12, minutes=30))]
    assert [cap.per for cap in policy_settings.caps(settings, Category.TRANSACTIONAL)] == [timedelta(weeks=2)]
    assert policy_settings.quiet_hours({}) == policy_settings.caps({}, Category.MARKETING) == ()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"quiet_hours": "at night"}, "quiet_hours to be a list of at most 20"),
        ({"quiet_hours": [HOURS] * 21}, "at most 20"),
        ({"quiet_hours": [7]}, '"categories", "from" and "to" in quiet_hours.0'),
        ({"quiet_hours": [HOURS, {**HOURS, "days": []}]}, 'not "days", in quiet_hours.1'),
        ({"quiet_hours": [{**HOURS, "categories": []}]}, "some of transactional, conversational, marketing"),
        ({"quiet_hours": [{**HOURS, "categories": ["two_factor"]}]}, "a two_factor code never waits"),
        ({"quiet_hours": [{**HOURS, "categories": [["marketing"]]}]}, '"categories"'),
        ({"quiet_hours": [{**HOURS, "channels": ["fax"]}]}, '"channels" to be some of sms'),
        ({"quiet_hours": [{**HOURS, "from": "24:00"}]}, '"from" to be a time of the day such as 21:30'),
        ({"quiet_hours": [{**HOURS, "to": "8:00"}]}, '"to" to be a time'),
        ({"quiet_hours": [{**HOURS, "to": "21:30"}]}, '"from" and "to" to differ'),
        ({"quiet_hours": [HOURS, {**HOURS, "from": "08:00", "to": "21:30"}]}, "marketing has none on sms"),
        ({"frequency_caps": {}}, "frequency_caps to be a list"),
        ({"frequency_caps": [{**CAP, "channel": "sms"}]}, "nothing else, in frequency_caps.0"),
        ({"frequency_caps": [{**CAP, "category": "two_factor"}]}, "is never capped"),
        ({"frequency_caps": [{**CAP, "category": None}]}, '"category"'),
        ({"frequency_caps": [{**CAP, "max": 0}]}, '"max" to be a whole number from 1 to 1000'),
        ({"frequency_caps": [{**CAP, "max": True}]}, '"max"'),
        *(
            ({"frequency_caps": [{**CAP, "per": per}]}, '"per" to be such as P7D or PT12H')
            for per in ("P", "PT", "7D", "P1M", "P1Y", "PT30S", "P366D", "P0D", 7, None, "P1DT")
        ),
    ],
)
def test_what_is_wrong_is_said(settings: dict[str, Any], expected: str) -> None:
    with pytest.raises(BadSetting) as refused:
        policy_settings.check(settings)
    assert str(refused.value).startswith("expected ") and expected in str(refused.value)
    assert policy_settings.quiet_hours(settings) == () or ("08:00" in str(settings) and "none on" in expected)
    assert policy_settings.caps(settings, Category.MARKETING) == ()
