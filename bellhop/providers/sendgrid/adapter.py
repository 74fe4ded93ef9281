"""Twilio SendGrid: e-mail through the official SDK, and its signed Event Webhook."""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import load_der_public_key
from python_http_client.exceptions import HTTPError

from bellhop.domain.channels import Channel
from bellhop.domain.delivery_ports import (
    Account,
    CallbackRequest,
    CannotList,
    Inbound,
    Listed,
    LookupKind,
    LookupRequest,
    LookupResult,
    Outgoing,
    ProviderUnreachable,
    Receipt,
    Reported,
    SendKind,
    SendResult,
)
from bellhop.domain.failures import FailureCode
from bellhop.domain.inbound_files import FileAddress
from bellhop.domain.provider_lists import ReportsPage
from bellhop.domain.questions import QuestionLimit
from bellhop.providers.lease_http import Answer, Call, Http, failure
from bellhop.providers.reading import by_status, from_json, retry_after, words
from bellhop.providers.sendgrid import activity
from bellhop.providers.sendgrid.client import client_of
from bellhop.providers.sendgrid.codes import ANSWERS, FIELDS
from bellhop.providers.sendgrid.events import receipt, reported
from bellhop.providers.sendgrid.inbound import inbound
from bellhop.providers.sendgrid.mail import mail

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
SLOWEST = 60.0
"""Seconds that a list waits for the rate limit, at most, `PATIENCE` times for each answer."""
PATIENCE = 6
REPORTS_CALLS = 20
"""Calls in which many messages are asked about together, at most."""
KEPT = timedelta(days=30)
"""How far back the Email Activity reaches, at most."""
FRESH = 25 * 3_600.0
"""Seconds a signature is believed: SendGrid tries again for 24 hours, and does not say whether it signs anew."""


_ROOM = threading.BoundedSemaphore(4)
"""Mails with files that one process makes at a time."""


class SendGrid:
    """See `delivery_ports.Provider`. `now`: seconds since the epoch, for the age of signatures; `pause`: sleeps."""

    name = "sendgrid"
    channels = frozenset({Channel.EMAIL})
    horizon = timedelta(days=4)
    """It tries for 72 hours (docs.sendgrid.com/glossary/deferrals), and a receiving server may bounce a mail later that
    it had taken."""

    question_limit = QuestionLimit(activity.PER_MINUTE, 60.0)

    def __init__(
        self,
        http: Http | None = None,
        now: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        # A connection for each call: where there is no look-up, one that closes under a request would cost a message.
        self._http = http or Http(keep=0.0)
        self._now = now
        self._pause = pause

    def send(self, account: Account, outgoing: Outgoing) -> SendResult:
        """Hand the mail over. Our ids ride as custom arguments and come back with every event."""
        if not account.credentials.get("api_key"):
            # The SDK would look for one in the environment: another account's.
            return SendResult(SendKind.ACCOUNT, code=FailureCode.CONFIGURATION, text="no API key")
        with _room(outgoing) as room:
            if not room:
                return SendResult(SendKind.RETRY, text="too many mails with files at a time", retry_after=5.0)
            return self._post(account, outgoing)

    def _post(self, account: Account, outgoing: Outgoing) -> SendResult:
        try:
            body = mail(outgoing)
        except FileNotFoundError:
            return SendResult(SendKind.REFUSED, code=FailureCode.MEDIA_UNAVAILABLE, text="a file is gone")
        except OSError:
            return SendResult(SendKind.RETRY, text="a file cannot be read just now")
        with Call(timeout=outgoing.timeout, deadline=outgoing.deadline) as call:
            try:
                client_of(self._http, account).send(body)
            except HTTPError as error:
                return read_answer(call.answer) if call.answer else failure(call, error)
            except Exception as error:  # noqa: BLE001  never raises: see the port
                return failure(call, error)
        return _accepted(call.answer)

    def look_up(self, account: Account, lookup: LookupRequest, timeout: float) -> LookupResult:
        """By our attempt id, where the account has the Email Activity API. That lags by minutes: what it does not show
        may be there, so it never proves an absence."""
        if not account.credentials.get("api_key"):
            return LookupResult(LookupKind.CANNOT_KNOW)  # forgotten
        try:
            with Call(timeout=timeout) as call:
                message = self._of_attempt(account, call, lookup.attempt_id)
        except CannotList:
            return LookupResult(LookupKind.CANNOT_KNOW, calls=0)
        except Exception:  # noqa: BLE001  never raises: see the port
            return LookupResult(LookupKind.UNREACHABLE)
        if message is None:
            return LookupResult(LookupKind.CANNOT_KNOW)
        return LookupResult(LookupKind.FOUND, activity.provider_id(message["msg_id"]))

    def report(self, account: Account, provider_id: str | None, attempt_id: UUID, timeout: float) -> Reported:
        """By our attempt id, where the account has the Email Activity API. The receipt has a key of its own, since the
        API shows no event ids: the webhook's event, when it comes after all, tells the same once more."""
        try:
            with Call(timeout=timeout) as call:
                message = self._of_attempt(account, call, attempt_id)
                if message is None:
                    return Reported(LookupKind.ABSENT)
                # Of six requests a minute the second is spent only where the first does not say all.
                settled = message.get("status") in ("processed", "delivered")
                detail = {} if settled else self._detail(account, call, message["msg_id"])
        except CannotList:
            return Reported(LookupKind.CANNOT_KNOW, calls=0)
        except Exception:  # noqa: BLE001  never raises: see the port
            return Reported(LookupKind.UNREACHABLE)
        return Reported(LookupKind.FOUND, reported(message, detail, attempt_id), calls=1 if settled else 2)

    def listing(self, account: Account, since: datetime, until: datetime, timeout: float) -> Iterator[Listed]:
        """From the Email Activity API, which knows the time of each message's LAST event only: so everything since then
        is asked for, and a span with more messages than one answer holds is halved. Waits for the rate limit."""
        now = datetime.fromtimestamp(self._now(), UTC)
        first = since.replace(microsecond=0)
        if now - first > KEPT:
            raise CannotList("the Email Activity API does not reach back that far")
        seen: set[str] = set()
        spans = [(first, self._until(first))]
        while spans:
            # The older half first: a message whose next event comes meanwhile moves into one that is yet to be asked.
            start, end = spans.pop()
            messages, whole = self._span(account, start, end, timeout)
            if not whole:
                if end <= start:
                    raise CannotList("more messages in a second than one answer of the Email Activity API holds")
                spans += _halves(start, end)
                continue
            for one in map(activity.listed, messages):
                if one.provider_id not in seen and (one.accepted_at is None or first <= one.accepted_at < until):
                    seen.add(one.provider_id)
                    yield one

    def reports(
        self, account: Account, provider_ids: Collection[str], since: datetime, timeout: float
    ) -> Iterator[ReportsPage]:
        """From the Email Activity API: by when something was last heard of each, and a call more for each that was not
        delivered, which says why."""
        wanted, first = {*provider_ids}, since.replace(microsecond=0)
        spans, failed = [(first, self._until(first))], list[dict[str, Any]]()
        for left in reversed(range(REPORTS_CALLS)):
            receipts: list[Receipt] = []
            if failed:
                one = failed.pop()
                receipts = [reported(one, self._why(account, one, timeout), None)]
            else:
                start, end = spans.pop()
                messages, whole = self._span(account, start, end, timeout, patience=1)
                asked = [one for one in messages if activity.provider_id(str(one["msg_id"])) in wanted]
                wanted -= {activity.provider_id(str(one["msg_id"])) for one in asked}
                failed += [one for one in asked if one.get("status") == "not_delivered"]
                receipts = [reported(one, {}, None) for one in asked if one.get("status") == "delivered"]
                # Of too many it holds the newest: those need not be found again in the halves.
                spans += _halves(start, end) if not whole and end > start else []
            more = bool(left and (failed or (spans and wanted)))
            yield ReportsPage(receipts, more)
            if not more:
                return

    def _why(self, account: Account, message: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        try:
            with Call(timeout=timeout) as call:
                return self._detail(account, call, message["msg_id"])
        except ProviderUnreachable:
            raise
        except Exception as error:  # noqa: BLE001  what became of a question is all one
            raise ProviderUnreachable(type(error).__name__) from None

    def _until(self, first: datetime) -> datetime:
        now = datetime.fromtimestamp(self._now(), UTC)
        return max(now, first).replace(microsecond=0) + timedelta(minutes=1)

    def _ask(self, account: Account, call: Call, *path: str, **query: object) -> dict[str, Any]:
        """An object of the Email Activity API. Raises CannotList, ProviderUnreachable, and what connections raise."""
        client = client_of(self._http, account).client.messages
        for name in path:
            client = client._(name)
        with suppress(HTTPError):
            client.get(query_params=query)
        return activity.read(call.answer)

    def _of_attempt(self, account: Account, call: Call, attempt_id: UUID) -> dict[str, Any] | None:
        found = activity.messages(self._ask(account, call, query=activity.of_attempt(attempt_id), limit=10))
        return found[0] if found else None

    def _detail(self, account: Account, call: Call, message_id: str) -> dict[str, Any]:
        try:
            return self._ask(account, call, message_id)
        except CannotList:
            # The list has it, so this is no matter of permission: the two are not in step yet.
            raise ProviderUnreachable("no such message") from None

    def _span(
        self, account: Account, start: datetime, end: datetime, timeout: float, patience: int = PATIENCE
    ) -> tuple[list[dict[str, Any]], bool]:
        """The messages whose last event lies in a span, and whether that is all of them."""
        for _ in range(patience):
            try:
                with Call(timeout=timeout) as call:
                    body = self._ask(account, call, query=activity.of_span(start, end), limit=activity.MOST)
                found = activity.messages(body)
                return found, len(body["messages"]) < activity.MOST
            except activity.Throttled as error:
                pause = 60 / activity.PER_MINUTE if error.pause is None else error.pause
                if pause > SLOWEST or patience == 1:
                    raise
            except (CannotList, ProviderUnreachable):
                raise
            except Exception as error:  # noqa: BLE001  what became of a question is all one
                raise ProviderUnreachable(type(error).__name__) from None
            self._pause(pause)
        raise ProviderUnreachable("too many requests")

    def received(self, account: Account, senders: Sequence[str], since: datetime, timeout: float) -> Iterator[Inbound]:
        """Inbound Parse posts mails and keeps none."""
        raise CannotList("SendGrid keeps no list of the mails that came in")

    def complete(self, account: Account, inbound: Inbound, timeout: float) -> Inbound:
        """There is nothing to ask for."""
        return inbound

    def file_at(self, account: Account, source: str, provider_id: str | None) -> FileAddress | None:
        """A mail brings its files with it."""
        return None

    def delete_file(self, account: Account, provider_id: str, timeout: float) -> bool:
        """SendGrid keeps none."""
        return True

    def verify(self, account: Account, request: CallbackRequest) -> bool:
        """ECDSA over timestamp and raw body (docs.sendgrid.com/for-developers/tracking-events/
        getting-started-event-webhook-security-features)."""
        secrets = (account.credentials, account.previous_credentials)
        names = ("parse_public_key", "webhook_public_key") if request.path == "inbound" else ("webhook_public_key",)
        keys = [key for each in secrets for name in names if (key := each.get(name))]
        matches = [self._signed(key, request) for key in dict.fromkeys(keys)]
        return any(matches)

    def _signed(self, key: str, request: CallbackRequest) -> bool:
        try:
            timestamp = request.headers[TIMESTAMP]
            if abs(self._now() - float(timestamp)) > FRESH:
                return False
            signature = base64.b64decode(request.headers[SIGNATURE], validate=True)
            # The SDK's own takes text only, and a mail is none.
            known = load_der_public_key(base64.b64decode(_bare(key)))
            if not isinstance(known, ec.EllipticCurvePublicKey):
                return False
            digest = hashes.Hash(hashes.SHA256())
            digest.update(timestamp.encode())
            digest.update(request.body)
            known.verify(signature, digest.finalize(), ec.ECDSA(Prehashed(hashes.SHA256())))
        except Exception:  # noqa: BLE001  junk is not signed by SendGrid
            return False
        return True

    def parse(self, request: CallbackRequest) -> Sequence[Receipt | Inbound]:
        """`events`: a batch of events, of many messages and in any order; `inbound`: a mail."""
        if request.path == "inbound":
            return [inbound(request.body, request.headers.get("content-type", ""))]
        events = from_json(request.body)
        if request.path != "events" or not isinstance(events, list):
            raise ValueError("not a batch of SendGrid's events")
        return [receipt(event) for event in events if isinstance(event, dict)]

    def acknowledgement(self) -> tuple[int, str, str]:
        """Any 2xx."""
        return 200, "text/plain", "ok"


def _halves(start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The older one is the last."""
    middle = (start + (end - start) / 2).replace(microsecond=0)
    return [(middle + timedelta(seconds=1), end), (start, middle)]


@contextmanager
def _room(outgoing: Outgoing) -> Iterator[bool]:
    """Whether this mail may be made now: one with files takes four times their size in memory."""
    if not outgoing.content.media:
        yield True
        return
    taken = _ROOM.acquire(timeout=2.0)
    try:
        yield taken
    finally:
        if taken:
            _ROOM.release()


def _accepted(answer: Answer | None) -> SendResult:
    message_id = answer.headers.get("x-message-id") if answer is not None and answer.status == 202 else None
    if not message_id:
        # SendGrid answers 202 and an id, and nothing else (200 only to its own sandbox mode): a page of some proxy.
        return SendResult(SendKind.UNKNOWN, code=FailureCode.OUTCOME_UNKNOWN, text="not SendGrid's 202")
    return SendResult(SendKind.ACCEPTED, message_id)


def read_answer(answer: Answer) -> SendResult:
    """What an answer other than 2xx means: `ANSWERS` if the body is SendGrid's, else its HTTP status."""
    try:
        body = from_json(answer.body)
    except ValueError:
        body = None
    errors = body.get("errors") if isinstance(body, dict) else None
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else None
    kind, code = by_status(answer.status)
    if first is not None:
        kind, code = ANSWERS.get(answer.status, (kind, code))
    field = first.get("field") if first else None
    if kind is SendKind.REFUSED and isinstance(field, str):
        code = next((why for pattern, why in FIELDS if re.match(pattern, field)), code)
    return SendResult(
        kind,
        code=code,
        provider_code=str(answer.status),
        text=words(first.get("message")) if first else None,
        retry_after=retry_after(answer) if kind is SendKind.RETRY else None,
    )


def _bare(key: str) -> str:
    """The base64 between PEM's lines, if somebody pasted those too."""
    return "".join(line for line in key.split() if not line.startswith("-") and line not in ("PUBLIC", "KEY-----"))
