"""Which time zones there are."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from bellhop.domain import time_zones


@pytest.mark.parametrize("name", ["UTC", "Europe/Lisbon", "America/Argentina/Buenos_Aires", "Etc/GMT+5"])
def test_what_iana_names(name: str) -> None:
    assert time_zones.known(name)
    assert ZoneInfo(name)


@pytest.mark.parametrize(
    "name", ["localtime", "posixrules", "Factory", "posix/UTC", "right/UTC", "Mars/Base", "europe/lisbon", "+05:00", "",
             "zone.tab", "../UTC", "Europe/Lisbon "]
)  # fmt: skip
def test_what_only_a_machine_or_nobody_does(name: str) -> None:
    assert not time_zones.known(name)
