"""Guests' devices on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.fields import VISIBLE, Language, Shown, Strict, id_pattern
from bellhop.domain.devices import LONGEST_TOKEN, MOST_OF_A_GUEST
from bellhop.domain.ids import Prefix

PlatformWord = Literal["ios", "android", "web"]
KindWord = Literal["fcm_token", "fcm_fid", "apns"]
EnvironmentWord = Literal["sandbox", "production"]

EXAMPLE: dict[str, Any] = {
    "id": "dev_01kaj3p0m5e6s7t8v9w0x1y2z3",
    "guest_id": "gst_01kaj3p0m5e6s7t8v9w0x1y2z3",
    "platform": "android",
    "kind": "fcm_token",
    "token": "…h3xQ9z",
    "environment": None,
    "bundle_id": None,
    "locale": "en-GB",
    "app_version": "4.12.0",
    "registered_at": "2026-03-15T10:00:00.000000Z",
    "suppressed_at": None,
    "created_at": "2026-03-15T10:00:00.000000Z",
}


class RegisterDevice(Strict):
    """A device as the guest's app registers it: each time it starts, with the token it then has."""

    model_config = {
        "json_schema_extra": {
            "examples": [{"platform": "android", "kind": "fcm_token", "token": "dGhlIHRva2Vu:APA91bH3xQ9z"}]
        }
    }

    platform: PlatformWord
    kind: Annotated[KindWord, Field(description="Whose token it is. Nothing in a token says so by itself.")]
    token: Annotated[
        str,
        Field(
            min_length=1,
            max_length=LONGEST_TOKEN,
            description="As the app got it: a registration token or installation id of Firebase's, or Apple's token in "
            "hexadecimal digits. One that another guest of the property had is this guest's from now on.",
        ),
    ]
    environment: Annotated[
        EnvironmentWord | None,
        Field(description="Of `apns` only: which of Apple's services the app was built for; left out: production."),
    ] = None
    bundle_id: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=155,
            description="Of `apns` only: the app's; left out: that of the property's sender.",
        ),
    ] = None
    locale: Annotated[Language | None, Field(description="BCP 47 tag that the app is set to.")] = None
    app_version: Annotated[Annotated[str, Field(min_length=1, max_length=64), VISIBLE] | None, Field()] = None


class Device(Shown):
    """Where a guest's app takes notifications."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE]}}

    id: Annotated[str, Field(pattern=id_pattern(Prefix.DEVICE))]
    guest_id: str
    platform: PlatformWord
    kind: KindWord
    token: Annotated[str, Field(description="Its last letters: enough to tell two apart.")]
    environment: EnvironmentWord | None
    bundle_id: str | None
    locale: str | None
    app_version: str | None
    registered_at: Annotated[datetime, Field(description="When the app last registered.")]
    suppressed_at: Annotated[
        datetime | None,
        Field(
            description="Since when nothing goes to it, until the app registers anew: its token is none of this app in "
            "this environment."
        ),
    ]
    created_at: datetime


class DeviceList(Shown):
    """All of a guest's devices."""

    data: Annotated[list[Device], Field(max_length=MOST_OF_A_GUEST)]
