"""A message as the database has it, whichever way it goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from bellhop.domain import steps
from bellhop.domain.categories import Category
from bellhop.domain.channels import CHANNELS, Channel, ChannelRules, Service
from bellhop.domain.policy import Reason
from bellhop.domain.priorities import Priority
from bellhop.domain.statuses import Stage
from bellhop.domain.steps import Step, When


@dataclass(slots=True)
class PublicMessage:
    """What of a message is shown to its property: what the API and the webhooks render. Times are aware, in UTC. Its
    repr shows nothing personal."""

    id: UUID
    property_id: UUID
    channel: Channel
    recipient: str | None = field(repr=False)
    """None once its guest was erased, as are `content`, `subject`, `sender` and `address_hash`."""
    sender: str | None = field(repr=False)
    guest_ref: str | None
    """The guest as the caller named it, where `guest_id` may be resolved later."""
    guest_id: UUID | None
    conversation_id: UUID | None
    stay_id: UUID | None
    subject: str | None = field(repr=False)
    content: str | None = field(repr=False)
    metadata: dict[str, Any] = field(repr=False)
    details: dict[str, Any] | None = field(repr=False)
    """Of a guest's message what came with its text: see `inbound_details`. Of one to a guest the template that it says,
    as `template`."""
    scheduled_at: datetime | None
    """When it was asked to go out; None: at once."""
    valid_until: datetime | None
    """Until when it is of use, if its sender, its property or its category said so: it does not go out later."""
    validity: int | None
    """Seconds after it is due that `valid_until` is, and stays when it is moved; None: it is a time of its own."""
    ignore_quiet_hours: bool
    """Whether it goes out whatever the hour is."""
    ignore_frequency_cap: bool
    """Whether it goes out however many its guest has had."""
    priority: Priority
    category: Category
    stage: Stage
    failure_code: str | None
    provider_code: str | None
    resend_of: UUID | None
    """The failed message that it sends again."""
    service: Service | None
    """By what it went at the step it is at, where a provider chooses and has said so."""
    sent_at: datetime | None
    delivered_at: datetime | None
    created_at: datetime
    step: int
    """Which of its steps it is at, from 0."""
    plan: list[dict[str, Any]] | None
    """Its steps, as `steps.stored` gives them; None: there is only the one."""

    @property
    def shown(self) -> Stage:
        """Where callers see it: what a provider once took is not `queued` again while its next step waits, nor what
        has arrived while a reminder does."""
        if self.stage is not Stage.QUEUED or self.sent_at is None:
            return self.stage
        return Stage.SENT if self.delivered_at is None else Stage.DELIVERED

    def step_at(self, number: int) -> Step | None:
        """One of its steps; None: it has no such."""
        return steps.read(self.plan[number]) if self.plan and number < len(self.plan) else None


@dataclass(slots=True)
class MessageRow(PublicMessage):
    """A row of `messages`, with what its scope adds to it."""

    scope_id: UUID
    direction: str
    """`outbound` or `inbound`."""
    address_hash: bytes | None = field(repr=False)
    content_type: str
    body: dict[str, Any] | None = field(repr=False)
    """What was fixed at acceptance beside `content`: see `content.body`."""
    reference: str | None
    tags: list[str]
    due_at: datetime
    """When it may go out as decided so far: holds and retries move it."""
    expires_at: datetime | None
    decision: Stage
    """Our own decision: QUEUED (none), CANCELLED or GAVE_UP."""
    provider: str | None
    held_account_id: UUID | None
    waits_for: Reason | None
    """What it waits for, parked, until it is released; None: for nothing but its time."""
    parked_at: datetime | None
    pace_id: UUID | None
    """The pace of the sender that it waits for (PACED); while it waits for nothing: whose turn it has been given."""
    callback_id: UUID | None
    """The endpoint that is told of it alone, at the address that `details` have as `callback`."""
    parts: int
    tries: int
    remind_at: datetime | None
    """When its next step follows, a reminder, if it is not read by then; None: it is not known yet, or none does."""
    read_at: datetime | None
    confirmed_at: datetime | None
    """Where the other side polls: when it said that it has it."""
    updated_at: datetime
    wake_due_at: datetime | None
    """Temporal has not been notified of a change since then; None: it has been notified of everything."""
    erased_at: datetime | None
    erased_hash: bytes | None = field(repr=False)
    """The `address_hash` it had before it was erased."""
    environment: str
    scope_settings: dict[str, Any]
    paused_at: datetime | None
    """Since when the scope sends nothing."""
    now: datetime
    """The database's clock at the beginning of the transaction that read this."""

    def rules_of(self, step: int) -> ChannelRules:
        """Those of the channel of one of its steps."""
        known = self.step_at(step)
        return CHANNELS[self.channel if known is None else known.channel]

    def parts_of(self, step: int) -> int:
        """Into how many parts one of its steps is split."""
        known = self.step_at(step)
        return self.parts if known is None else known.parts

    @property
    def told_until(self) -> datetime | None:
        """Until when a provider is to try, where it takes such a limit; None: as long as it usually does."""
        step = self.step_at(self.step)
        return self.expires_at if step is not None and step.limited else self.valid_until

    def gone_at(self, step: int) -> list[int]:
        """The parts of one of its steps that are not sent, because the guest has the device no longer."""
        if self.plan is not None:
            return list(self.plan[step].get("gone", ()))
        targets = (self.body or {}).get("devices", ())
        return [part for part, target in enumerate(targets) if target.get("gone")]

    @property
    def withdrawn_in(self) -> float | None:
        """Seconds until it is taken out of the guest's inbox, for the next step; 0: it is time; None: it is not."""
        step = self.step_at(self.step)
        if step is None or not step.limited or not self.rules.in_record or self.reminds_of:
            return None
        if self.stage is not Stage.SENT or self.expires_at is None or self.erased_at is not None:
            return None
        if self.valid_until is not None and self.valid_until <= max(self.expires_at, self.now):
            return None
        return max(0.0, (self.expires_at - self.now).total_seconds())

    @property
    def goes_on_in(self) -> float | None:
        """Seconds until its next step may follow it, which is decided then; None: not by the clock alone."""
        return min((each for each in (self.reminds_in, self.withdrawn_in) if each is not None), default=None)

    @property
    def reminders(self) -> int:
        """How many reminders have begun."""
        return sum(step["when"] == When.NOT_READ for step in (self.plan or ())[: self.step + 1])

    @property
    def reminds_of(self) -> range:
        """The steps beside which the one it is at was begun, as a reminder of them; none where it is no reminder."""
        first = self.step
        while first and (step := self.step_at(first)) is not None and step.when is When.NOT_READ:
            first -= 1
        return range(first, self.step)

    @property
    def reminds_in(self) -> float | None:
        """Seconds until a reminder follows, 0: it is time; None: none does."""
        at = self.remind_at
        if at is None or self.stage not in (Stage.SENT, Stage.DELIVERED) or self.erased_at is not None:
            return None
        if self.valid_until is not None and self.valid_until <= max(at, self.now):
            return None
        return max(0.0, (at - self.now).total_seconds())

    @property
    def rules(self) -> ChannelRules:
        """Those of the channel it goes out on now."""
        return self.rules_of(self.step)
