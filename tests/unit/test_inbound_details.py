"""What comes with a guest's message is stored whole where it is reasonable, and bounded whatever it is."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from bellhop.domain.channels import Service
from bellhop.domain.inbound_details import Button, Group, InboundDetails, Location, Media, shown

TEXT = st.none() | st.text(max_size=4000)
ANY = st.builds(
    InboundDetails,
    media=st.lists(
        st.builds(Media, st.text(max_size=4000) | st.just("https://x/y"), TEXT, st.none(), TEXT), max_size=30
    ).map(tuple),
    media_count=st.integers(0, 10**9),
    button=st.none() | st.builds(Button, TEXT, TEXT),
    location=st.none() | st.builds(Location, st.floats(), st.floats(), TEXT, TEXT),
    profile_name=TEXT,
    profile_id=TEXT,
    replied_to=TEXT,
    group=st.none() | st.builds(Group, TEXT, TEXT, st.none() | st.integers(0, 10**9)),
    service=st.sampled_from([None, *Service]),
    was_downgraded=st.none() | st.booleans(),
)


@given(ANY)
def test_what_is_stored_is_bounded_and_shown_in_one_form(details: InboundDetails) -> None:
    stored = details.stored()
    object_ = shown(stored)
    assert list(object_) == [
        "media", "media_count", "button", "location", "profile", "replied_to", "group", "service", "was_downgraded",
        "matched_by", "original", "automatic",
    ]  # fmt: skip
    assert len(json.dumps(object_, allow_nan=False, ensure_ascii=False)) < 32 * 1024
    assert len(object_["media"]) <= 10
    assert object_["media_count"] >= len(object_["media"])


PENDING = {"state": "pending"} | dict.fromkeys(
    ("url", "content_type", "filename", "size", "asset_id", "problem")
)  # fmt: skip


def test_nothing_came_with_it() -> None:
    assert InboundDetails().stored() is None
    assert shown(None) == shown({})
    assert shown(None)["media"] == []


def test_all_of_it_is_kept() -> None:
    details = InboundDetails(
        media=(Media("https://x/y", "image/png"), Media("https://x/z")),
        button=Button(None, "late"), location=Location(-90, 180), profile_name="Jo",
    )  # fmt: skip
    assert shown(details.stored()) == {
        "media": [{**PENDING, "content_type": "image/png"}, PENDING],
        "media_count": 2,
        "button": {"text": None, "payload": "late"},
        "location": {"latitude": -90, "longitude": 180, "address": None, "label": None},
        "profile": {"name": "Jo", "id": None},
        "replied_to": None,
        "group": None,
        "service": None,
        "was_downgraded": None,
        "matched_by": None,
        "original": None,
        "automatic": False,
    }
