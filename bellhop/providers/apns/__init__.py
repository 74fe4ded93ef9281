"""Apple Push Notification service: push notifications to iOS without Firebase in between."""

from __future__ import annotations

from bellhop.domain.channels import Channel
from bellhop.domain.delivery_ports import Provider
from bellhop.providers.apns import settings
from bellhop.providers.package import ProviderPackage


def _adapter() -> Provider:
    from bellhop.providers.apns.adapter import Apns

    return Apns()


PACKAGE = ProviderPackage(
    name="apns",
    title="Apple Push Notification service",
    adapter=_adapter,
    settings=settings.ApnsSettings,
    seeds=settings.seeds,
    senders={Channel.PUSH: settings.app},
)
