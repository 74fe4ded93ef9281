"""Guests' devices: what a push notification is addressed to. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MOST_OF_A_GUEST = 20
"""Devices that are kept of one guest: a further one takes the place of the one that registered longest ago."""
LONGEST_TOKEN = 4_096


class Platform(StrEnum):
    """What the app runs on."""

    IOS = "ios"
    ANDROID = "android"
    WEB = "web"


class DeviceKind(StrEnum):
    """Whose token it is, and so through whom a notification goes: nothing in a token itself says so."""

    FCM_TOKEN = "fcm_token"  # noqa: S105  a word, no token
    """A registration token of Firebase Cloud Messaging."""
    FCM_FID = "fcm_fid"
    """A Firebase installation id, which newer apps have instead."""
    APNS = "apns"
    """A device token of Apple's Push Notification service."""


class DeviceEnvironment(StrEnum):
    """At which of Apple's two services an app registered; the token does not say."""

    SANDBOX = "sandbox"
    PRODUCTION = "production"


class DeviceVerdict(StrEnum):
    """What a provider's refusal says of a device. Nothing else may take one from a guest."""

    GONE = "gone"
    """The app is no longer there, or its token has gone: the device is removed, unless it registered again since."""
    MISFIT = "misfit"
    """The token is none of this app in this environment: nothing more goes to it as it is registered now."""


_FORMS = {
    DeviceKind.FCM_TOKEN: (
        re.compile(r"[\x21-\x7e]{1,4096}"),
        "a registration token: no blanks, at most 4,096 letters",
    ),
    DeviceKind.FCM_FID: (re.compile(r"[c-f][A-Za-z0-9_-]{21}"), "a Firebase installation id: 22 letters"),
    DeviceKind.APNS: (re.compile(r"(?:[0-9A-Fa-f]{2}){1,512}"), "a device token in hexadecimal digits"),
}
_BUNDLE = re.compile(r"[A-Za-z0-9.-]{1,155}")


class BadDevice(ValueError):
    """A device that cannot be one. `field` names what is wrong; the message says what was expected."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(expected)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDevice:
    """A device as an app registers it. Its repr shows no token."""

    platform: Platform
    kind: DeviceKind
    token: str = field(repr=False)
    environment: DeviceEnvironment | None = None
    """Of an `apns` device; None of others."""
    bundle_id: str | None = None
    """The app's, of an `apns` device; None: the sender's own."""
    locale: str | None = None
    app_version: str | None = None


def checked(new: NewDevice) -> NewDevice:
    """The same as it is stored: Apple's tokens in lower case and in an environment. Raises BadDevice."""
    form, expected = _FORMS[new.kind]
    if not form.fullmatch(new.token):
        raise BadDevice("token", f"expected {expected}")
    if new.kind is not DeviceKind.APNS:
        for name in ("environment", "bundle_id"):
            if getattr(new, name) is not None:
                raise BadDevice(name, "expected none: only devices of the kind apns have one")
        return new
    if new.platform is not Platform.IOS:
        raise BadDevice("kind", "expected fcm_token or fcm_fid: only ios has tokens of Apple's")
    if new.bundle_id is not None and not _BUNDLE.fullmatch(new.bundle_id):
        raise BadDevice("bundle_id", "expected the app's bundle id, such as com.example.hotel")
    return NewDevice(
        platform=new.platform,
        kind=new.kind,
        token=new.token.lower(),
        environment=new.environment or DeviceEnvironment.PRODUCTION,
        bundle_id=new.bundle_id,
        locale=new.locale,
        app_version=new.app_version,
    )


def masked(token: str) -> str:
    """As much of a token as tells two apart: its last six letters, of a short one nothing."""
    return "…" + token[-6:] if len(token) > 16 else "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where one part of a push notification goes. Its repr shows no token."""

    token: str = field(repr=False)
    kind: DeviceKind | None = None
    """None: a caller named a token that nobody has registered."""
    environment: DeviceEnvironment | None = None
    bundle_id: str | None = None
    device: str | None = None
    """The device's public id."""

    def stored(self) -> dict[str, Any]:
        """As a message keeps it."""
        return {
            "token": self.token,
            "kind": self.kind.value if self.kind else None,
            "environment": self.environment.value if self.environment else None,
            "bundle_id": self.bundle_id,
            "device": self.device,
        }


def target(stored: dict[str, Any]) -> Target:
    """What `Target.stored` made."""
    kind, environment = stored.get("kind"), stored.get("environment")
    return Target(
        token=str(stored["token"]),
        kind=DeviceKind(kind) if kind else None,
        environment=DeviceEnvironment(environment) if environment else None,
        bundle_id=stored.get("bundle_id"),
        device=stored.get("device"),
    )
