"""`detect`: find what a guest wants in what they wrote, and write it down."""

from __future__ import annotations

import asyncio
from typing import Protocol
from uuid import UUID

from temporalio import activity

from activities.faults import redact_errors
from bellhop.domain.intents import Detection, DetectorAway, IntentDetector
from bellhop.temporal import contract


class Record(Protocol):
    """Guests' messages and what was found in them."""

    async def text_of(self, message_id: UUID) -> str | None:
        """What a message says that is yet to be looked at; None: there is nothing to do."""

    async def write(self, message_id: UUID, detection: Detection) -> None:
        """Write down what was found, once, with its events; that the message was looked at also where nothing was."""


class IntentActivities:
    """The activity around a detector, and another one for when that is away. `timeout`: seconds it is given."""

    def __init__(self, record: Record, detector: IntentDetector, otherwise: IntentDetector, timeout: float) -> None:
        self._record = record
        self._detector = detector
        self._otherwise = otherwise
        self._timeout = timeout

    @activity.defn(name=contract.DETECT)
    @redact_errors
    async def detect(self, message: str) -> int:
        """Look at one message. `message`: its row's key. Returns how much was found."""
        message_id = UUID(message)
        text = await self._record.text_of(message_id)
        if text is None:
            return 0
        try:
            async with asyncio.timeout(self._timeout):
                detection = await self._detector.detect(text)
        except (DetectorAway, TimeoutError):
            detection = await self._otherwise.detect(text)
        await self._record.write(message_id, detection)
        return len(detection.intents)
