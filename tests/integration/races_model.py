"""The provider of a race, in memory: the calls that reached it and what became of them; and the watches in SQL.

The watches refuse what may never happen even for an instant: a call before its time, after a cancel or an erasure, a
stage that goes down.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from uuid import UUID, uuid4

from bellhop.domain.channels import Channel
from bellhop.domain.delivery_ports import (
    Claim,
    Lookup,
    LookupResult,
    SendKind,
    SendResult,
)
from bellhop.domain.failures import FailureCode
from bellhop.domain.statuses import Stage
from bellhop.store.settings import DeliverySettings

DELIVERY = DeliverySettings(
    _env_file=None,
    lease=60.0,
    lease_margin=5.0,
    settle_pauses=[10.0, 30.0],
    retry_first=2.0,
    hold=30.0,
    # A quick machine comes to more questions a second than one account is asked.
    question_rate=1000.0,
)
DAY = 86_400.0
LONG_TEXT = " ".join(f"word{number}" for number in range(450))

ADDRESSES = {
    Channel.SMS: ["+13055550701", "+13055550702"],
    Channel.EMAIL: ["one@example.com", "two@example.com"],
}
COLUMN = {Channel.SMS: "phone", Channel.EMAIL: "email"}

WATCHES = """
create table race_ranks (channel text, stage text, rank int not null, primary key (channel, stage));
create table race_abandoned (attempt_id uuid primary key, message_id uuid not null, part int not null);
create function race_attempt() returns trigger language plpgsql as $$
declare message messages;
begin
  select * into message from messages where id = new.message_id;
  if message.due_at > now() then raise exception 'RACE: a call before its time'; end if;
  if message.expires_at <= now() then raise exception 'RACE: a call after it expired'; end if;
  if message.stage <> 'queued' then raise exception 'RACE: a call for a message that is %', message.stage; end if;
  if message.erased_at is not null then raise exception 'RACE: a call for an erased guest'; end if;
  return new;
end $$;
create function race_stage() returns trigger language plpgsql as $$
begin
  if (select rank from race_ranks where channel = new.channel and stage = new.stage)
    < (select rank from race_ranks where channel = new.channel and stage = old.stage)
  then raise exception 'RACE: a message went down from % to %', old.stage, new.stage; end if;
  return new;
end $$;
create function race_attempt_stage() returns trigger language plpgsql as $$
declare of text := (select channel from messages where id = new.message_id);
begin
  if (select rank from race_ranks where channel = of and stage = coalesce(new.stage, 'queued'))
    < (select rank from race_ranks where channel = of and stage = coalesce(old.stage, 'queued'))
  then raise exception 'RACE: an attempt went down from % to %', old.stage, new.stage; end if;
  if new.state <> old.state and old.state not in ('in_flight', 'unknown')
    and new.state not in ('accepted', 'undelivered')
  then raise exception 'RACE: what was known of an attempt, %, became %', old.state, new.state; end if;
  if new.state = 'abandoned' and old.state <> 'abandoned' then
    insert into race_abandoned values (new.id, new.message_id, new.part) on conflict do nothing;
  end if;
  return new;
end $$;
create trigger race_attempt before insert on attempts for each row execute function race_attempt();
create trigger race_stage before update on messages for each row execute function race_stage();
create trigger race_attempt_stage before update on attempts for each row execute function race_attempt_stage();
"""


class Fate(Enum):
    """What became of a provider call: (the provider has it, what the worker records; None: it died)."""

    TAKEN = (True, SendKind.ACCEPTED, None)
    ANSWER_LOST = (True, SendKind.UNKNOWN, FailureCode.OUTCOME_UNKNOWN)
    LOST_ON_THE_WAY = (False, SendKind.UNKNOWN, FailureCode.OUTCOME_UNKNOWN)
    REFUSED = (False, SendKind.REFUSED, FailureCode.ADDRESS_INVALID)
    REFUSED_AS_OPTED_OUT = (False, SendKind.REFUSED, FailureCode.OPTED_OUT)
    LATER = (False, SendKind.RETRY, FailureCode.PROVIDER_ERROR)
    ACCOUNT = (False, SendKind.ACCOUNT, FailureCode.CONFIGURATION)
    DIED_AFTER = (True, None, None)
    DIED_BEFORE = (False, None, None)


@dataclass(eq=False)
class Call:
    """One provider call. Open: nothing is decided yet, and its lease has not run out."""

    claim: Claim
    message: Sent
    part: int
    fate: Fate | None = None
    age: float = 0.0
    provider_id: str = field(default_factory=lambda: "SM" + uuid4().hex)
    reported: set[Stage] = field(default_factory=set)
    """What receipts that were recorded have said."""
    recorded: bool = False
    found: bool = False
    """A look-up that found it has been written down."""

    @property
    def id(self) -> UUID:
        return self.claim.outgoing.attempt_id

    @property
    def has(self) -> bool:
        """The provider has this copy."""
        return self.fate is not None and self.fate.value[0]

    @property
    def open(self) -> bool:
        return self.fate is None

    def result(self) -> SendResult | None:
        """What the worker has to record; None while it is calling, or when it died."""
        if self.fate is None or self.fate.value[1] is None:
            return None
        _, kind, code = self.fate.value
        return SendResult(kind, provider_id=self.provider_id if kind is SendKind.ACCEPTED else None, code=code)


@dataclass(eq=False)
class Sent:
    """A message as its caller knows it."""

    id: UUID
    channel: Channel
    address: str
    parts: int
    guest: UUID | None
    calls: list[Call] = field(default_factory=list)
    withdrawn: bool = False
    """A cancel was answered 200."""
    lookups: list[tuple[Lookup, LookupResult, Call]] = field(default_factory=list)
