"""Firebase Cloud Messaging (HTTP v1): push notifications to Android, and to iOS and the web through Firebase."""

from __future__ import annotations

from bellhop.domain.delivery_ports import Provider
from bellhop.providers.fcm import settings
from bellhop.providers.package import ProviderPackage


def _adapter() -> Provider:
    from bellhop.providers.fcm.adapter import Fcm

    return Fcm()


PACKAGE = ProviderPackage(
    name="fcm",
    title="Firebase Cloud Messaging",
    adapter=_adapter,
    settings=settings.FcmSettings,
    seeds=settings.seeds,
)
