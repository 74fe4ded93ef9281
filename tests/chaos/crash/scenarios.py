"""The scenarios of a message that the matrix plays: what a client does, what the world does, and how it has to end."""

from __future__ import annotations

import asyncio
import base64
import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from bellhop.domain.sweeps import SweepKind

from . import acts

NUMBERS = itertools.count(1)
PHOTO = base64.b64decode(acts.PICTURE)


class Client(Protocol):
    """A caller of the API who repeats what got no answer, as a good one does."""

    site: str
    """The URL of a web server that has a photo at /lobby."""

    async def workflow_started(self, message_id: str) -> None:
        """Wait until the workflow of this message is there: it is started in the background."""

    async def lose(self, message_id: str) -> None:
        """Make Temporal another one, which does not know this message."""

    async def report_among_many(self, to: str) -> None:
        """Report a mail to `to` as SendGrid does, in a large batch about others, until that is taken."""

    async def cancel_workflow(self, message_id: str) -> None:
        """Cancel its workflow, as an operator does in Temporal's UI."""

    async def guest_writes(self, play: Play, body: dict[str, Any], which: str, value: str) -> None:
        """Have a guest write this, and find out which message is played."""

    async def pause(self) -> None:
        """Pause the property."""

    async def resume(self) -> None:
        """Let the property go on, as an operator does in the record."""

    async def parked(self, message_id: str) -> None:
        """Wait until this message is parked, and its workflow asks nothing more."""

    async def call(
        self, method: str, path: str, json: Any = None, *, expect: tuple[int, ...], files: Any = None, **headers: str
    ) -> Any: ...


@dataclass
class Play:
    """One playing of a scenario."""

    client: Client
    to: str
    message_id: str = ""
    guest_id: str = ""
    token: str = ""
    """Of a session of the guest's app."""
    at: str = ""
    """What the provider has for `to`, where that is something else."""
    files: int = 0
    """How many each copy carries, where it carries any."""
    due: datetime | None = None

    async def send(self, ahead: float = 0.0, **fields: Any) -> None:
        """Send a message, `ahead` seconds before it is due."""
        body: dict[str, Any] = {"channel": "sms", "recipient": self.to, "content": f"For {self.to}", **fields}
        if ahead:
            self.due = datetime.now(UTC) + timedelta(seconds=ahead)
            body["scheduled_at"] = self.due.isoformat()
        headers = {"Idempotency-Key": f"{self.to} {time.time_ns()}", "Prefer": "respond-async"}
        first = await self.client.call("POST", "/v1/messaging/send", body, expect=(201,), **headers)
        again = await self.client.call("POST", "/v1/messaging/send", body, expect=(201,), **headers)
        assert first["id"] == again["id"], "the same request made two messages"
        self.message_id = first["id"]


Act = Callable[[Play], Awaitable[None]]


@dataclass(frozen=True)
class Ending:
    """What has come of a message when nothing more can happen. `receipts`: the provider's words that are recorded, once
    for each copy. `left`: states of attempts, beside those of what was accepted and what was surely not sent."""

    status: str = "delivered"
    events: tuple[str, ...] = ("message.sent", "message.delivered")
    receipts: tuple[str, ...] = ("sent", "delivered")
    copies: int = 1
    left: frozenset[str] = frozenset()
    workflow: str = "COMPLETED"
    """NOT_FOUND: the guest's deletion took its history, as it took message and timeline."""


DELIVERED = Ending()
READ = Ending("read", (*DELIVERED.events, "message.read"), ("processed", "delivered", "open"))
BLUE = replace(DELIVERED, receipts=("SENT", "DELIVERED"))
FAILED = Ending("failed", ("message.failed",), (), 0)
GUESTS = (SweepKind.INTENTS, SweepKind.INBOUND_FILES)
WANTED = Ending("housekeeping kept", ("guest.intent.created", "message.received"), (), 0)
CANCELLED = Ending("cancelled", ("message.cancelled",), (), 0)


@dataclass(frozen=True)
class Scenario:
    """`prepare` happens before anything may die, `act` while it may. `faults`: of the sandbox, from the beginning.
    `refused`: steps whose call fails as if nobody were there. `sweeps`: what recovery looks for every few seconds,
    beside what Temporal or a drainer was not notified of."""

    name: str
    says: str
    act: Act
    prepare: Act | None = None
    end: Ending = DELIVERED
    channel: str = "sms"
    to: str | None = None
    faults: tuple[dict[str, Any], ...] = ()
    refused: tuple[str, ...] = ()
    sweeps: tuple[SweepKind, ...] = ()

    def play(self, client: Client) -> Play:
        """One playing of it, to an address of its own."""
        number = next(NUMBERS)
        usual = {"email": f"guest{number}@example.com", "push": f"device{number}:APA91b"}.get(self.channel)
        return Play(client, self.to or usual or f"+1305556{number:04d}")


async def _send(play: Play) -> None:
    await play.send()


async def _send_ahead(play: Play) -> None:
    await play.send(ahead=2.0)


async def _send_mail(play: Play) -> None:
    await play.send(channel="email", subject="Tomorrow", content_type="text/html")


async def _send_either_way(play: Play) -> None:
    mail = {"channel": "email", "recipient": play.to, "subject": "Tomorrow", "content": f"<p>For {play.to}</p>"}
    await play.send(recipient="+13055552211", fallback=[mail])


async def _send_imessage(play: Play) -> None:
    await play.send(channel="imessage")


async def _send_push(play: Play) -> None:
    await play.send(channel="push")


async def _send_files(play: Play) -> None:
    photo = {"file": ("garden.png", PHOTO)}
    asset = await play.client.call("POST", "/v1/assets", expect=(201,), files=photo)
    play.files = 2
    await play.send(media=[{"asset_id": asset["id"]}, {"url": f"{play.client.site}/lobby"}])


async def _send_in_app(play: Play) -> None:
    await play.send(channel="in_app")
    call, app = play.client.call, {"Authorization": play.token}
    async with asyncio.timeout(60):
        while not (await call("GET", "/v1/inbox/messages", expect=(200,), **app))["data"]:
            await asyncio.sleep(0.2)
    report = {"delivered": [play.message_id], "read": [play.message_id]}
    for _ in range(2):
        await call("POST", "/v1/inbox/reports", report, expect=(200,), **app)


async def _read_among_many(play: Play) -> None:
    await _send_mail(play)
    await play.client.report_among_many(play.to)


async def _wait_an_hour(play: Play) -> None:
    await play.send(ahead=3600)
    await play.client.workflow_started(play.message_id)


async def _wait_a_little(play: Play) -> None:
    await play.send(ahead=5)
    await play.client.workflow_started(play.message_id)


async def _pause_and_send(play: Play) -> None:
    await play.client.pause()
    await play.send()
    await play.client.workflow_started(play.message_id)
    await play.client.parked(play.message_id)


async def _resume(play: Play) -> None:
    await play.client.resume()


async def _lose(play: Play) -> None:
    await play.client.lose(play.message_id)


async def _cancel(play: Play) -> None:
    for _ in range(2):
        shown = await play.client.call("POST", f"/v1/messaging/{play.message_id}/cancel", expect=(200,))
        assert shown["status"] == "cancelled"


async def _wait_two_hours(play: Play) -> None:
    await _wait_an_hour(play)
    later = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    await play.client.call("PATCH", f"/v1/messaging/{play.message_id}", {"scheduled_at": later}, expect=(200,))
    await play.client.workflow_started(play.message_id)
    # Woken, it asks whether it may go out.
    await asyncio.sleep(1)


async def _withdraw(play: Play) -> None:
    await play.client.cancel_workflow(play.message_id)


async def _move(play: Play) -> None:
    # 409: the first call died after its commit, and the message has gone out since.
    await play.client.call("PATCH", f"/v1/messaging/{play.message_id}", {"scheduled_at": None}, expect=(200, 409))
    play.due = None


async def _guest_waits(play: Play) -> None:
    guest = {"first_name": "Jordan", "last_name": "Mitchell", "phone": play.to}
    play.guest_id = (await play.client.call("POST", "/v1/guests", guest, expect=(200, 201)))["id"]
    await play.send(ahead=3600, guest_id=play.guest_id)
    await play.client.workflow_started(play.message_id)


async def _erase(play: Play) -> None:
    # 404: the first call died after its commit.
    await play.client.call("DELETE", f"/v1/guests/{play.guest_id}", expect=(204, 404))


_ALL = (
    Scenario("sms", "a text that goes out at once", _send),
    Scenario("wrote", "a guest writes", acts.write, sweeps=GUESTS, end=WANTED),
    Scenario("mailed", "a guest writes a mail with a picture", acts.mail, sweeps=GUESTS, end=WANTED, channel="email"),
    Scenario("stopped", "a guest says STOP, and it is confirmed", acts.stop),
    Scenario("email", "a mail that is read", _send_mail, end=READ, channel="email"),
    Scenario("imessage", "a message through Sendblue", _send_imessage, end=BLUE, channel="imessage"),
    Scenario(
        "in app",
        "a message in the guest's inbox, which is read",
        _send_in_app,
        acts.guest_with_an_app,
        end=replace(READ, receipts=("delivered", "read")),
        channel="in_app",
    ),
    Scenario(
        "lost push",
        "a notification whose answer is lost, and nobody can be asked",
        _send_push,
        end=replace(FAILED, copies=1, left=frozenset({"unknown"})),
        channel="push",
        faults=({"kind": "accept_then_reset"},),
    ),
    Scenario(
        "lost apple push",
        "the same to an iPhone, through APNs",
        _send_push,
        lambda play: acts.guest_with_an_iphone(play, f"{next(NUMBERS):064x}"),
        end=replace(FAILED, copies=1, left=frozenset({"unknown"})),
        channel="push",
        faults=({"kind": "accept_then_reset"},),
    ),
    Scenario("files", "a text with a file that is uploaded and one that is fetched", _send_files),
    Scenario("scheduled", "a text for later", _send_ahead),
    Scenario("broadcast", "a text that a broadcast has for a guest", acts.broadcast, sweeps=(SweepKind.BROADCASTS,)),
    Scenario("together", "a text in a batch with one that is refused", acts.send_together),
    Scenario("parts", "a text too long for one", acts.long, end=replace(DELIVERED, copies=2)),
    Scenario("retried", "the provider says 429 first", _send, faults=({"kind": "rate_limit"},)),
    Scenario("held", "the account is refused, then mended", _send, faults=({"kind": "auth"},)),
    Scenario(
        "parked",
        "its property is paused, then goes on",
        _resume,
        _pause_and_send,
        sweeps=(SweepKind.PARKED,),
    ),
    Scenario("refused", "the provider will not have the number", _send, end=FAILED, to="+13055552211"),
    Scenario(
        "fell back",
        "the provider will not have the number, and a mail follows",
        _send_either_way,
        end=replace(READ, events=("message.fallback", *READ.events)),
        channel="email",
    ),
    Scenario(
        "lost",
        "accepted, the answer is lost, the provider is asked before its receipts come",
        _send,
        faults=({"kind": "accept_then_reset"}, {"kind": "callback_delay", "delay": 5}),
    ),
    Scenario(
        "lost mail",
        "the same through the Email Activity API",
        _send_mail,
        end=READ,
        channel="email",
        faults=({"kind": "accept_then_reset"}, {"kind": "callback_delay", "delay": 5}),
    ),
    Scenario(
        "lost imessage",
        "the same through Sendblue's list",
        _send_imessage,
        end=BLUE,
        channel="imessage",
        faults=({"kind": "accept_then_reset"}, {"kind": "callback_delay", "delay": 5}),
    ),
    Scenario("vanished", "the call was cut off and never arrived: sent again", _send, faults=({"kind": "reset"},)),
    Scenario(
        "silent",
        "accepted, and no receipt ever comes: the provider is asked",
        _send,
        end=replace(DELIVERED, receipts=("delivered",)),
        faults=({"kind": "callback_drop"},),
    ),
    Scenario(
        "silent mail",
        "the same through the Email Activity API; whether it is read it does not say, so we listen on",
        _send_mail,
        end=replace(DELIVERED, receipts=("delivered",), workflow="RUNNING"),
        channel="email",
        faults=({"kind": "callback_drop"},),
    ),
    Scenario(
        "silent imessage",
        "the same through Sendblue's message",
        _send_imessage,
        end=replace(BLUE, receipts=("DELIVERED",)),
        channel="imessage",
        faults=({"kind": "callback_drop"},),
    ),
    Scenario(
        "batch",
        "its receipts come in a batch too large to be applied before the answer",
        _read_among_many,
        end=READ,
        channel="email",
        faults=({"kind": "callback_drop"},),
    ),
    Scenario("cancelled", "cancelled while it waits", _cancel, _wait_an_hour, CANCELLED),
    Scenario("withdrawn", "its workflow is cancelled in Temporal while it waits", _withdraw, _wait_an_hour, CANCELLED),
    Scenario("withdrawn later", "and once more has been asked of it", _withdraw, _wait_two_hours, CANCELLED),
    Scenario("moved", "moved from an hour ahead to now", _move, _wait_an_hour),
    Scenario(
        "erased",
        "its guest is deleted while it waits",
        _erase,
        _guest_waits,
        replace(CANCELLED, workflow="NOT_FOUND"),
        sweeps=(SweepKind.HISTORIES,),
    ),
    Scenario(
        "not notified",
        "Temporal is away when it is accepted: the sweep notifies it",
        _send,
        refused=("rpc start Message",),
        sweeps=(SweepKind.OLD,),
    ),
    Scenario("not drained", "and when its events are due", _send, refused=("rpc wake Endpoint",)),
    Scenario(
        "forgotten",
        "Temporal has lost its state while it waits",
        _lose,
        _wait_a_little,
        sweeps=(SweepKind.NAMESPACE,),
    ),
)
SCENARIOS = {scenario.name: scenario for scenario in _ALL}
