"""Sendblue: iMessage through the official SDK, its callbacks and its list."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sendblue_api import omit

from bellhop.domain.addresses import canonical
from bellhop.domain.channels import AddressKind, Channel
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
from bellhop.domain.inbound_files import FileAddress
from bellhop.domain.provider_lists import ReportsPage
from bellhop.domain.statuses import Stage
from bellhop.providers.lease_http import Answer, Call, Http, failure
from bellhop.providers.reading import by_status, clean, from_json, retry_after, words
from bellhop.providers.sendblue import callbacks
from bellhop.providers.sendblue.callbacks import moment, text
from bellhop.providers.sendblue.client import groups_api, messages_api
from bellhop.providers.sendblue.codes import STAGES, VALIDATION, code_of

EARLIER = timedelta(seconds=60)
"""How far Sendblue's clock may be behind ours in a look-up."""
PAGE = 100
"""Messages on a page of the list, the most there can be."""
PAGES = 20
LONGEST_LIST = 10_000
"""Pages."""


class Sendblue:
    """See `delivery_ports.Provider`. `keep`: seconds an idle connection may be used again."""

    name = "sendblue"
    channels = frozenset({Channel.IMESSAGE})
    horizon = timedelta(days=4)
    """So long iMessage, or the carrier of an SMS instead of it, may try a phone that is off."""

    def __init__(self, http: Http | None = None) -> None:
        self._http = http or Http(keep=3.0)

    def send(self, account: Account, outgoing: Outgoing) -> SendResult:
        """Send the message. A lost answer is settled by its callback, which carries the attempt id, or by look_up."""
        secret = account.credentials.get("api_secret_key")
        if not secret:
            return SendResult(SendKind.ACCOUNT, code=FailureCode.CONFIGURATION, text="no secret key")
        signed = f"{outgoing.callback_url}&token={callbacks.token(secret, outgoing.attempt_id)}"
        with Call(timeout=outgoing.timeout, deadline=outgoing.deadline) as call:
            try:
                self._post(account, outgoing, signed)
            except Exception as error:  # noqa: BLE001  never raises: see the port
                return read_answer(call.answer) if call.answer else failure(call, error)
            return read_answer(call.answer) if call.answer else failure(call, ConnectionError("no answer"))

    def _post(self, account: Account, outgoing: Outgoing, signed: str) -> None:
        style = outgoing.content.options.send_style
        more = {"send_style": style.value} if style else {}
        media = outgoing.content.media[0].url if outgoing.content.media else omit
        if (group := outgoing.group) is None:
            messages_api(self._http, account).send(
                number=outgoing.to,
                from_number=outgoing.sender,
                content=outgoing.content.text,
                media_url=media,
                status_callback=signed,
                extra_body=more or None,
            )
            return
        groups_api(self._http, account).send_message(
            # "The same as passing the same list of numbers" (docs.sendblue.com/docs/groups), where it is known.
            numbers=omit if group.id else group.members,
            group_id=group.id or omit,
            from_number=outgoing.sender,
            content=outgoing.content.text,
            media_url=media,
            # The SDK's types do not have it; the same page does.
            extra_body={"status_callback": signed, **more},
        )

    def look_up(self, account: Account, lookup: LookupRequest, timeout: float) -> LookupResult:
        """Find the message by receiver, line and text: Sendblue knows no idempotency key."""
        if not account.credentials.get("api_secret_key"):
            return LookupResult(LookupKind.CANNOT_KNOW)  # forgotten
        try:
            with Call(timeout=timeout) as call:
                return self._search(call, account, lookup)
        except Exception:  # noqa: BLE001  never raises: see the port
            return LookupResult(LookupKind.UNREACHABLE)

    def _search(self, call: Call, account: Account, lookup: LookupRequest) -> LookupResult:
        match: str | None = None
        elsewhere = False
        filters = {"from_number": lookup.sender, "created_at_gte": lookup.started_at - EARLIER}
        filters |= {"number": lookup.to} if lookup.group is None else {"message_type": "group"}
        for page in range(PAGES):
            found, more = self._page(call, account, filters, page)
            for item in found:
                handle = text(item, "message_handle")
                if not handle or handle in lookup.claimed or not _to_the_same(item, lookup):
                    continue
                if _same(item, lookup):
                    match = handle  # newest first: the last one found is the oldest
                elif _may_be_same(item, lookup):
                    elsewhere = True
            if not more:
                # Its documents do not say that the list names every group, nor all who are in one: that a message to
                # one is not found proves nothing.
                return _found(match, elsewhere or lookup.group is not None)
        return LookupResult(LookupKind.UNREACHABLE)

    def report(self, account: Account, provider_id: str | None, attempt_id: UUID, timeout: float) -> Reported:
        """Fetch the message by its handle."""
        if provider_id is None:
            # Without a handle, `look_up` has to find it first.
            return Reported(LookupKind.CANNOT_KNOW)
        try:
            with Call(timeout=timeout) as call:
                try:
                    messages_api(self._http, account).retrieve(provider_id)
                except Exception:  # noqa: BLE001  the answer says what there is to know
                    gone = call.answer is not None and _is_absence(call.answer)
                    return Reported(LookupKind.ABSENT if gone else LookupKind.UNREACHABLE)
                item = _object(_object(_json(call.answer)).get("data"))
            if item.get("message_handle") != provider_id:
                return Reported(LookupKind.UNREACHABLE)  # a 2xx that is not Sendblue's
            return Reported(LookupKind.FOUND, callbacks.fact(item, attempt_id))
        except Exception:  # noqa: BLE001  never raises: see the port
            return Reported(LookupKind.UNREACHABLE)

    def listing(self, account: Account, since: datetime, until: datetime, timeout: float) -> Iterator[Listed]:
        """Newest first, by when they were created."""
        filters = {"created_at_gte": since, "created_at_lte": until}
        for page in range(LONGEST_LIST):
            found, more = self._listed_page(account, filters, page, timeout)
            yield from (_listed(item) for item in found)
            if not more:
                return
        raise ProviderUnreachable("a list without an end")

    def reports(
        self, account: Account, provider_ids: Collection[str], since: datetime, timeout: float
    ) -> Iterator[ReportsPage]:
        """From the same list."""
        wanted = {*provider_ids}
        for page in range(PAGES):
            found, more = self._listed_page(account, {"created_at_gte": since - EARLIER}, page, timeout)
            asked = [item for item in found if text(item, "message_handle") in wanted and text(item, "status")]
            wanted -= {text(item, "message_handle") for item in asked}
            more = bool(more and wanted and page + 1 < PAGES)
            yield ReportsPage([callbacks.fact(item, None) for item in asked], more)
            if not more:
                return

    def _listed_page(
        self, account: Account, filters: Mapping[str, Any], page: int, timeout: float
    ) -> tuple[list[dict[str, Any]], bool]:
        try:
            with Call(timeout=timeout) as call:
                return self._page(call, account, filters, page)
        except Exception as error:  # noqa: BLE001  what became of a question is all one
            raise ProviderUnreachable(type(error).__name__) from None

    def received(self, account: Account, senders: Sequence[str], since: datetime, timeout: float) -> Iterator[Inbound]:
        """Oldest first: what comes in meanwhile shifts no page."""
        filters = {"created_at_gte": since}
        for page in range(LONGEST_LIST):
            try:
                with Call(timeout=timeout) as call:
                    found, more = self._page(call, account, filters, page, outbound=False)
                items = [callbacks.inbound(item) for item in found]
            except Exception as error:  # noqa: BLE001  what became of a question is all one
                raise ProviderUnreachable(type(error).__name__) from None
            yield from (item for item in items if item.recipient in senders)
            if not more:
                return
        raise ProviderUnreachable("a list without an end")

    def complete(self, account: Account, inbound: Inbound, timeout: float) -> Inbound:
        """The list shows all there is."""
        return inbound

    def _page(
        self, call: Call, account: Account, filters: Mapping[str, Any], page: int, *, outbound: bool = True
    ) -> tuple[list[dict[str, Any]], bool]:
        """One page of what the account sent, newest first, or of what it was sent, oldest first, and whether there are
        more. Raises on what is no list."""
        messages_api(self._http, account).list(
            is_outbound="true" if outbound else "false",
            order_by="createdAt",
            order_direction="desc" if outbound else "asc",
            limit=PAGE,
            offset=page * PAGE,
            **filters,
        )
        body = _object(_json(call.answer))
        found, pages = body.get("data"), _object(body.get("pagination"))
        if not isinstance(found, list) or not isinstance(pages.get("hasMore"), bool):
            raise ValueError("not a list of Sendblue's")
        return [_object(item) for item in found], bool(pages["hasMore"])

    def file_at(self, account: Account, source: str, provider_id: str | None) -> FileAddress | None:
        """At the address that the callback names, which takes no credentials."""
        return FileAddress(source)

    def delete_file(self, account: Account, provider_id: str, timeout: float) -> bool:
        """Sendblue offers no way to delete one: it keeps guests' files for thirty days."""
        return True

    def verify(self, account: Account, request: CallbackRequest) -> bool:
        """By the attempt's token, or the account's signing secret."""
        return callbacks.genuine(account, request)

    def parse(self, request: CallbackRequest) -> Sequence[Receipt | Inbound]:
        """`status`: a status callback; `inbound`: a guest's message."""
        fields = callbacks.fields_of(request)
        if request.path == "status":
            return [callbacks.receipt(fields, request.query)]
        if request.path == "inbound":
            return [callbacks.inbound(fields)]
        raise ValueError("not a path that Sendblue is told to call")

    def acknowledgement(self) -> tuple[int, str, str]:
        """Any 2xx."""
        return 200, "application/json", "{}"


def read_answer(answer: Answer) -> SendResult:
    """What the answer to a send means: by Sendblue's status, key and code, else by the HTTP status. A 2xx may bear the
    status ERROR, and a 400 a message that was taken."""
    try:
        body = _object(from_json(answer.body))
    except ValueError:
        body = {}
    handle, status = text(body, "message_handle"), text(body, "status")
    number = body.get("error_code") or None
    row = code_of(number, body.get("error_key") or body.get("error_reason"))
    if handle and STAGES.get(status or "") in (Stage.SENT, Stage.DELIVERED) and answer.status < 500:
        return SendResult(SendKind.ACCEPTED, clean(handle), group_id=callbacks.group_id(body))
    refused = answer.status >= 400 or (status is not None and STAGES.get(status) is Stage.UNDELIVERED)
    if refused and number == VALIDATION and "media_url" in str(body.get("error_message") or body.get("message")):
        # The file was not to be had at its address, which is one of ours: the API may be away for a moment.
        kind, why = SendKind.RETRY, FailureCode.MEDIA_UNAVAILABLE
    elif row is not None and refused:
        kind, why = row.kind, row.failure
    elif answer.status >= 300:
        kind, why = by_status(answer.status)
    elif refused:
        kind, why = SendKind.REFUSED, FailureCode.UNDELIVERED
    else:
        # A 2xx that is not Sendblue's: a proxy's page. Whether Sendblue has the message, it does not say.
        kind, why = SendKind.UNKNOWN, FailureCode.OUTCOME_UNKNOWN
    return SendResult(
        kind,
        provider_id=clean(handle) if handle and kind is SendKind.REFUSED else None,
        code=why,
        provider_code=str(number)[:64] if number is not None else str(answer.status),
        text=words(body.get("error_message")) or words(body.get("message")),
        retry_after=retry_after(answer) if kind is SendKind.RETRY else None,
    )


def _json(answer: Answer | None) -> Any:
    if answer is None or answer.status >= 400:
        raise ValueError("no answer")
    return from_json(answer.body)


def _object(value: Any) -> dict[str, Any]:
    """A JSON object; an empty one where it is none."""
    return value if isinstance(value, dict) else {}


def _to_the_same(item: Mapping[str, Any], lookup: LookupRequest) -> bool:
    """Whether it went to one guest, as what is asked about, or to a group of all these members."""
    group = callbacks.group_of(item)
    if lookup.group is None:
        return group is None
    there = item.get("participants")
    plain = (
        {canonical(AddressKind.PHONE, one) for one in there if isinstance(one, str)} if isinstance(there, list) else ()
    )
    return group is not None and all(canonical(AddressKind.PHONE, one) in plain for one in lookup.group.members)


def _same(item: Mapping[str, Any], lookup: LookupRequest) -> bool:
    """By its text; without one by the address of its file, which no other message has."""
    if lookup.text or not lookup.media:
        return _same_text(item.get("content"), lookup.text)
    return item.get("media_url") == lookup.media[0]


def _may_be_same(item: Mapping[str, Any], lookup: LookupRequest) -> bool:
    """A file without a text at another address: Sendblue's documents do not say that its list names ours, and not where
    Sendblue itself keeps what it has fetched."""
    return not lookup.text and bool(lookup.media) and not text(item, "content") and bool(text(item, "media_url"))


def _found(match: str | None, elsewhere: bool) -> LookupResult:
    if match:
        return LookupResult(LookupKind.FOUND, match)
    return LookupResult(LookupKind.CANNOT_KNOW if elsewhere else LookupKind.ABSENT)


def _same_text(content: object, expected: str) -> bool:
    """White space at the ends and line ends don't count: taking a copy for another message would send it twice."""
    return isinstance(content, str) and content.split() == expected.split()


def _listed(item: Mapping[str, Any]) -> Listed:
    word = text(item, "status") or ""
    return Listed(
        provider_id=text(item, "message_handle") or "",
        to=text(item, "to_number") or text(item, "number") or "",
        sender=text(item, "from_number") or text(item, "sendblue_number") or "",
        text=text(item, "content"),
        word=word,
        stage=STAGES.get(word),
        accepted_at=moment(item.get("date_sent")),
    )


def _is_absence(answer: Answer) -> bool:
    """Sendblue's own 404; a proxy's says nothing about the message."""
    try:
        return answer.status == 404 and _object(from_json(answer.body)).get("status") == "ERROR"
    except ValueError:
        return False
