"""Twilio Programmable Messaging: SMS and WhatsApp through the official SDK, callbacks and look-up."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from twilio.base.exceptions import TwilioException

from bellhop.domain.approved_templates import Approval
from bellhop.domain.channels import Channel
from bellhop.domain.content import Content
from bellhop.domain.delivery_ports import (
    Account,
    CallbackRequest,
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
from bellhop.domain.inbound_details import MOST_MEDIA
from bellhop.domain.inbound_files import FileAddress
from bellhop.domain.provider_lists import ReportsPage
from bellhop.providers.lease_http import Answer, Call, Http, failure
from bellhop.providers.reading import by_status, clean, from_json, retry_after, words
from bellhop.providers.twilio import callbacks, contents, media, received
from bellhop.providers.twilio.client import account_api
from bellhop.providers.twilio.codes import CODES, NOT_SENT_AFTER_ALL, STAGES
from bellhop.providers.twilio.numbers import CHANNELS, RCS, address_of, bare, service_of
from bellhop.providers.twilio.overrides import OVERRIDES
from bellhop.providers.twilio.settings import is_service

TRIAL = "Sent from your Twilio trial account - "
"""What a trial account puts before every body."""
EARLIER = timedelta(seconds=60)
"""How far Twilio's clock may be behind ours in a look-up."""
IN_QUEUE = timedelta(hours=10)
"""How long a message may wait for its sender's turn (twilio.com/docs/api/errors/21611, 30001). The list may be in the
order of sending and not of creation: only what was created longer ago than this surely stands behind what is looked
for."""
PAGES = 20
PAGE = 1_000
"""Messages on a page of the list, the most there can be (message-resource#read-multiple-message-resources)."""
LONGEST_LIST = 1_000
"""Pages."""
REPORTS_PAGES = 20
"""Of the same, when many messages are asked about together."""
LONGEST_VALIDITY = 36_000
"""Seconds that Twilio keeps a message in its queue, unless told less (message-resource: ValidityPeriod)."""
_SID = re.compile(r"(SM|MM)[0-9a-fA-F]{32}")


class Twilio:
    """See `delivery_ports.Provider`. `keep`: seconds an idle connection may be used again."""

    name = "twilio"
    channels = frozenset(CHANNELS)
    horizon = timedelta(days=4)
    """Up to ten hours in Twilio's queue (ValidityPeriod: twilio.com/docs/messaging/api/message-resource), then up to
    three days in which most carriers try on; a carrier's receipt can come at the end of them."""

    def __init__(self, http: Http | None = None) -> None:
        self._http = http or Http(keep=3.0)

    def send(self, account: Account, outgoing: Outgoing) -> SendResult:
        """Create the message. A lost answer is settled by its callback, which carries the attempt id, or by look_up."""
        if not account.credentials.get("auth_token"):
            return SendResult(SendKind.ACCOUNT, code=FailureCode.CONFIGURATION, text="no auth token")
        with Call(timeout=outgoing.timeout, deadline=outgoing.deadline) as call:
            try:
                message = account_api(self._http, account).messages.create(
                    to=address_of(outgoing.channel, outgoing.to),
                    **_said(outgoing.content),
                    status_callback=f"{outgoing.callback_url}#{OVERRIDES}",
                    **_from(outgoing),
                    **_validity(outgoing),
                )
                return _created(message.sid, message.status, message.error_code)
            except TwilioException as error:
                return read_answer(call.answer) if call.answer else failure(call, error)
            except Exception as error:  # noqa: BLE001  never raises: see the port
                return failure(call, error)

    def look_up(self, account: Account, lookup: LookupRequest, timeout: float) -> LookupResult:
        """Find the message by receiver, sender and text: Twilio knows no idempotency key for messages."""
        if not account.credentials.get("auth_token"):
            return LookupResult(LookupKind.CANNOT_KNOW)  # forgotten
        try:
            with Call(timeout=timeout):
                return self._search(account, lookup)
        except Exception:  # noqa: BLE001  never raises: see the port
            return LookupResult(LookupKind.UNREACHABLE)

    def _search(self, account: Account, lookup: LookupRequest) -> LookupResult:
        """Wherever it may be listed: absent is only what is nowhere."""
        places = [address_of(lookup.channel, lookup.to)]
        if is_service(lookup.sender) and lookup.channel is Channel.SMS:
            places.append(RCS + lookup.to)  # the service may have chosen RCS
        found = LookupResult(LookupKind.ABSENT)
        for place in places:
            found = self._search_at(account, lookup, place)
            if found.kind is not LookupKind.ABSENT:
                break
        return found

    def _search_at(self, account: Account, lookup: LookupRequest, to: str) -> LookupResult:
        """Newest first and without a DateSent filter: it has the grain of a day, and queued messages have no date."""
        oldest = lookup.started_at - EARLIER
        end = oldest - IN_QUEUE
        match: str | None = None
        redacted = False
        page = account_api(self._http, account).messages.page(to=to, page_size=100)
        for _ in range(PAGES):
            for message in page:
                created = message.date_created
                if created is not None and created < end:
                    return _found(match, redacted)
                if (created is not None and created < oldest) or not _candidate(message, lookup):
                    continue
                if _same(message, lookup):
                    match = message.sid  # the last one found is the oldest
                elif lookup.templated or (not message.body and lookup.text):
                    redacted = True
            if not page.next_page_url:
                return _found(match, redacted)
            page = page.next_page()
        return LookupResult(LookupKind.UNREACHABLE)

    def approval(self, account: Account, content_sid: str, timeout: float) -> Approval:
        """See `approved_templates.ApprovalSource`."""
        return contents.approval(self._http, account, content_sid, timeout)

    def report(self, account: Account, provider_id: str | None, attempt_id: UUID, timeout: float) -> Reported:
        """Fetch the message by its sid."""
        if provider_id is None or not _SID.fullmatch(provider_id):
            # Twilio finds messages by sid, number and day only; without a sid, `look_up` has to find it first.
            return Reported(LookupKind.CANNOT_KNOW)
        try:
            with Call(timeout=timeout) as call:
                try:
                    message = account_api(self._http, account).messages(provider_id).fetch()
                except TwilioException:
                    gone = call.answer is not None and _is_absence(call.answer)
                    return Reported(LookupKind.ABSENT if gone else LookupKind.UNREACHABLE)
            if message.sid != provider_id or not isinstance(message.status, str):
                return Reported(LookupKind.UNREACHABLE)  # a 2xx that is not Twilio's
            return Reported(LookupKind.FOUND, _reported(message, attempt_id))
        except Exception:  # noqa: BLE001  never raises: see the port
            return Reported(LookupKind.UNREACHABLE)

    def listing(self, account: Account, since: datetime, until: datetime, timeout: float) -> Iterator[Listed]:
        """Newest first, and without a DateSent filter: it would leave out what waits in a queue or never left it."""
        since = since.replace(microsecond=0)  # Twilio's times are whole seconds
        page, messages = self._page(account, None, timeout, {})
        for _ in range(LONGEST_LIST):
            for message in messages:
                created = message.date_created
                if created is not None and created < since - IN_QUEUE:
                    return
                if _outbound(message) and (created is None or since <= created < until):
                    yield _listed(message)
            if not page.next_page_url:
                return
            page, messages = self._page(account, page, timeout, {})
        raise ProviderUnreachable("a list without an end")

    def reports(
        self, account: Account, provider_ids: Collection[str], since: datetime, timeout: float
    ) -> Iterator[ReportsPage]:
        """From the same list, by the day and newest first. One that never left Twilio's queue has no date and is not
        in it."""
        wanted, page = {*provider_ids}, cast(Any, None)
        day = {"date_sent_after": since.astimezone(UTC).date().isoformat()}
        for left in reversed(range(REPORTS_PAGES)):
            page, messages = self._page(account, page, timeout, day)
            found = [one for one in messages if one.sid in wanted and isinstance(one.status, str)]
            wanted -= {one.sid for one in found}
            older = any(one.date_sent is not None and one.date_sent < since for one in messages[-1:])
            more = bool(wanted and left and page.next_page_url and not older)
            yield ReportsPage([_reported(one, None) for one in found], more)
            if not more:
                return

    def received(self, account: Account, senders: Sequence[str], since: datetime, timeout: float) -> Iterator[Inbound]:
        """From the same list: guests' messages are in it, too."""
        return received.received(lambda before, filters: self._page(account, before, timeout, filters), senders, since)

    def complete(self, account: Account, inbound: Inbound, timeout: float) -> Inbound:
        """The list says how many files there are; they are a resource of their own."""
        if not inbound.details.media_count:
            return inbound
        try:
            with Call(timeout=timeout):
                files = account_api(self._http, account).messages(inbound.provider_id).media
                return received.completed(list(files.page(page_size=MOST_MEDIA)), account, inbound)
        except Exception:  # noqa: BLE001  never raises: see the port
            return inbound

    def _page(self, account: Account, before: Any, timeout: float, filters: dict[str, str]) -> tuple[Any, list[Any]]:
        """The first page, or the one after `before`: a call each. A generator must not pause within a `Call`."""
        try:
            with Call(timeout=timeout):
                if before:
                    page = before.next_page()
                else:
                    page = account_api(self._http, account).messages.page(page_size=PAGE, **filters)
                return page, list(page)
        except Exception as error:  # noqa: BLE001  what became of a question is all one
            raise ProviderUnreachable(type(error).__name__) from None

    def file_at(self, account: Account, source: str, provider_id: str | None) -> FileAddress | None:
        """By the ids in the callback's address."""
        return media.address(account, provider_id)

    def delete_file(self, account: Account, provider_id: str, timeout: float) -> bool:
        """By the Media resource."""
        return media.delete(self._http, account, provider_id, timeout)

    def verify(self, account: Account, request: CallbackRequest) -> bool:
        """By the account's current or previous token."""
        return callbacks.signed(account, request)

    def parse(self, request: CallbackRequest) -> Sequence[Receipt | Inbound]:
        """`status`: a status callback; `inbound` and `fallback`: a guest's message, which may come at both."""
        fields = callbacks.fields_of(request)
        if request.path == "status":
            return [callbacks.receipt(fields, request.query)]
        if request.path in ("inbound", "fallback"):
            return [callbacks.inbound(fields)]
        raise ValueError("not a path that Twilio is told to call")

    def acknowledgement(self) -> tuple[int, str, str]:
        """Empty TwiML: any other content type is error 12300, and 'no reply' has to be said."""
        return 200, "text/xml", "<Response/>"


def _said(content: Content) -> dict[str, Any]:
    """The text, files, or both: Twilio wants one of them, and an empty one is an error. Where those may not go out, the
    approved template with its values: then Twilio reads no text, and files are the template's own."""
    if content.approved is not None:
        # As JSON, quotes and all; what is missing is printed as the sample (using-variables-with-content-api).
        variables = json.dumps(dict(content.approved.variables), ensure_ascii=False)
        return {"content_sid": content.approved.content_sid, "content_variables": variables}
    files = [one.url for one in content.media]
    return ({"body": content.text} if content.text or not files else {}) | ({"media_url": files} if files else {})


def _validity(outgoing: Outgoing) -> dict[str, int]:
    """How long Twilio may keep it in its queue, where that is less than Twilio's own ten hours."""
    if outgoing.valid_for is None or outgoing.valid_for >= LONGEST_VALIDITY:
        return {}
    return {"validity_period": max(1, int(outgoing.valid_for))}


def read_answer(answer: Answer) -> SendResult:
    """What a create answered with an error means: by Twilio's code, else by the HTTP status."""
    try:
        body = from_json(answer.body)
    except ValueError:
        body = None
    body = body if isinstance(body, dict) else {}
    number = body.get("code")
    code = CODES.get(number) if isinstance(number, int) else None
    kind, why = (code.kind, code.failure) if code else by_status(answer.status)
    return SendResult(
        kind,
        code=why,
        provider_code=str(number) if isinstance(number, int) else str(answer.status),
        text=words(body.get("message")) or words(body.get("detail")),
        retry_after=retry_after(answer) if kind is SendKind.RETRY else None,
    )


def _from(outgoing: Outgoing) -> dict[str, str]:
    if is_service(outgoing.sender):
        return {"messaging_service_sid": outgoing.sender}
    return {"from_": address_of(outgoing.channel, outgoing.sender)}


def _created(sid: object, status: object, error_code: object) -> SendResult:
    if not isinstance(sid, str) or not sid.startswith(("SM", "MM")):
        # A 2xx that is not Twilio's: a proxy's page. Whether Twilio has the message, it does not say.
        return SendResult(SendKind.UNKNOWN, code=FailureCode.OUTCOME_UNKNOWN, text="no message sid")
    if status in NOT_SENT_AFTER_ALL:
        # There is no callback for the first status (twilio.com/docs/messaging/guides/track-outbound-message-status).
        code = CODES.get(error_code) if isinstance(error_code, int) else None
        why = code.failure if code else FailureCode.UNDELIVERED
        return SendResult(SendKind.REFUSED, sid, why, str(error_code) if error_code else None)
    return SendResult(SendKind.ACCEPTED, sid)


TELLING = 20
"""Characters of a template's value that says which message it is in: a guest's name is in many."""


def _outbound(message: Any) -> bool:
    return isinstance(message.sid, str) and str(message.direction or "outbound").startswith("outbound")


def _candidate(message: Any, lookup: LookupRequest) -> bool:
    sender = message.messaging_service_sid if is_service(lookup.sender) else bare(str(message.from_ or ""))
    return _outbound(message) and sender == lookup.sender and message.sid not in lookup.claimed


def _same(message: Any, lookup: LookupRequest) -> bool:
    """By its text, or what was put into a template's; without one by how many files it has, which is all the list
    shows of them."""
    if lookup.templated and any(len(value) >= TELLING for value in lookup.values):
        body = " ".join(str(message.body or "").split())
        return all(" ".join(value.split()) in body for value in lookup.values)
    if lookup.text or not lookup.media:
        return _same_text(message.body, lookup.text)
    return not message.body and str(message.num_media) == str(len(lookup.media))


def _same_text(body: str | None, text: str) -> bool:
    """White space at the ends and line ends don't count: taking a copy for another message would send it twice."""
    one, other = (" ".join((each or "").removeprefix(TRIAL).split()) for each in (body, text))
    return one == other


def _found(match: str | None, redacted: bool) -> LookupResult:
    if match:
        return LookupResult(LookupKind.FOUND, match)
    # An account that keeps no texts (ContentRetention) cannot say which of its messages is ours.
    return LookupResult(LookupKind.CANNOT_KNOW if redacted else LookupKind.ABSENT)


def _reported(message: Any, attempt_id: UUID | None) -> Receipt:
    """What a message that was fetched or listed says, as its callback would have said it; the guest's number stays out
    of the payload."""
    number = None if message.error_code in (None, 0) else clean(str(message.error_code))
    word = clean(message.status)
    payload = {"asked": True, "sid": message.sid, "status": word, "error_code": number}
    to = clean(message.to) if isinstance(message.to, str) else None
    by = service_of(str(message.from_ or ""), chosen=bool(message.messaging_service_sid))
    return callbacks.fact(message.sid, word, number, attempt_id, to, payload, by)


def _listed(message: Any) -> Listed:
    word = str(message.status)
    return Listed(
        provider_id=message.sid,
        to=bare(str(message.to or "")),
        # As we know the sender: by the service's sid where there is one.
        sender=bare(str(message.messaging_service_sid or message.from_ or "")),
        text=message.body or None,
        word=word,
        stage=STAGES.get(word),
        accepted_at=message.date_created,
    )


def _is_absence(answer: Answer) -> bool:
    """Twilio's own 404; a proxy's says nothing about the message."""
    try:
        body = from_json(answer.body)
    except ValueError:
        return False
    return answer.status == 404 and isinstance(body, dict) and body.get("code") == 20404
