"""Each field of Sendblue's description (docs.sendblue.com/api/resources/messages), and of the calls beside it."""

from __future__ import annotations

from api.dialects.dialect import Described, Description, Field

_SENT = "test_what_it_sends_is_a_message_like_any_other"
_SEEN = "test_what_others_send_is_seen_through_it"
_LISTED = "test_lists_are_filtered_ordered_and_paged"
_WRONG = "test_what_is_wrong_with_a_send_is_said_of_its_field"
_LINES = "test_several_lines_have_to_be_named"
_AS_SMS = "test_without_a_line_of_its_own_it_goes_as_sms"
_TOLD = "test_a_text_is_sent_followed_and_told_of"
_IN = "test_what_guests_write_is_received"
_OUT = "test_who_opted_out_is_declined_and_the_rest_of_its_calls"
_CONSENT = "test_an_opt_out_is_a_consent_like_any_other"
_SERVICE = "test_a_service_is_what_is_known_of_it"
_GROUPED = "test_a_group_is_written_to_and_seen"
_CANNOT = "test_what_cannot_be_done_is_not_passed_over"
_EMPTY = "test_what_is_empty_counts_as_left_out"
_MEDIA = "test_a_file_is_behind_its_url"

INTRO = """
`sb-api-key-id` is the id of a key of Bellhop's (`key_…`), `sb-api-secret-key` its secret (`sk_…`). Everything is
below `/api`, so a client needs another base URL and this pair. Texts are messages on the channels `imessage` and
`sms`, both ways; a text goes out from the property's iMessage line, as SMS where it has none.

* Errors are `{"status": "ERROR", "message", "error_code", "error_message"}`: 4000 for what is wrong with a request
  (HTTP 400; 405, 408 and 413 have it as well), 4001 for too many (429), 5000 for faults of ours and while the
  database is away (500, 503), 401, 403 (the key may not do that) and 404. A number that has opted out is declined
  with HTTP 400, 4002 and `error_key` `OPTED_OUT`.
* A message that failed has 4002 (opted out or blocked), 4001 (a sender's limit), 5000 (the provider's fault), 10002
  (it is not known whether it went) or 10001.
* A send that bears `x-stainless-retry-count` above 0 and comes within 60 seconds of one with the same key, number,
  content and media is answered with that one's message.
* A list looks at 10,000 messages: the newest (with `order_by=createdAt` and `asc` the oldest) of the property that
  were created in the span that is asked for, or that many with one guest's number. `total` counts those that match
  among them, and `offset` goes as far. `created_at_lte` goes further back.
* `status_callback` and account webhooks get the 25 fields of a list item for each change of the status, through
  [Bellhop's own deliveries](webhooks.md): tried again for three days, in order for each message. The first bears no
  header of ours; the second `sb-signing-secret`, the secret as it was set. Of an erased guest's message only
  `message_handle`, `is_outbound`, `status` and `date_updated` are left, and its `status_callback` is told nothing
  more.
* A name that is not below is refused (4000).
"""

_STYLE = "`options.send_style` of a message; ignored on SMS"
_ITEM = (
    Field("accountEmail", "the property's id `@bellhop.invalid`: it has no e-mail address of its own", _SEEN),
    Field("content", "`content`", _SEEN),
    Field("date_sent", "`sent_at`; of a guest's message when it was written", _LISTED),
    Field("date_updated", "when the message last changed; in a webhook, when that happened", _LISTED),
    Field("error_code", "a number for `metadata.error.code`, see above", _LISTED),
    Field("error_detail", "`metadata.error.provider_code`", _LISTED),
    Field("error_message", "`metadata.error.message`", _OUT),
    Field("error_reason", "`metadata.error.code` in capitals, such as `OPTED_OUT`", _OUT),
    Field("from_number", "the sender that it last went out from; of a guest's message their number", _SENT),
    Field("group_display_name", "null: no group has a name here", _SEEN),
    Field("group_id", "`group_id`, once the provider has said it; of a guest's message where it was written", _GROUPED),
    Field("is_outbound", "whether it went to the guest", _IN),
    Field("media_url", "of its first file: our copy's address, or where it is yet to be fetched from", _MEDIA),
    Field("message_handle", "the message's key as a UUID; `omsg_…` and `imsg_…` are the same in other letters", _SENT),
    Field("message_type", "`group` of a message to a group, else `message`", _GROUPED),
    Field("number", "the guest's number; null to a group", _IN),
    Field("opted_out", "whether a consent forbids every message to the guest's number now", _CONSENT),
    Field("participants", "`recipients`; empty of a message to one guest", _GROUPED),
    Field("plan", "null: there are none", _SEEN),
    Field("send_style", _STYLE, _AS_SMS),
    Field("sendblue_number", "the property's own number", _IN),
    Field("service", "`service`, as far as it is known; else what its channel is meant to go by", _AS_SMS),
    Field(
        "status",
        "`queued` QUEUED, `sent` SENT, `delivered` and `read` DELIVERED, `failed` ERROR, `cancelled` DECLINED; of a "
        "guest's RECEIVED. REGISTERED, PENDING, ACCEPTED and SUCCESS are never answered",
        _LISTED,
    ),
    Field("to_number", "`recipient`; null to a group", _SEEN),
    Field("was_downgraded", "whether it went by less than iMessage: at the guest's, or for want of a line", _AS_SMS),
)
_RESPONSE = (
    Field("account_email", "as `accountEmail` of an item", _SEEN),
    Field("content", "`content`", _SENT),
    Field("date_created", "`created_at`", _SENT),
    Field("date_updated", "as of an item", _SEEN),
    Field("error_code", "as of an item", _SEEN),
    Field("error_message", "as of an item", _SEEN),
    Field("from_number", "as of an item", _SENT),
    Field("is_outbound", "as of an item", _SENT),
    Field("media_url", "as of an item", _MEDIA),
    Field("message_handle", "as of an item", _SENT),
    Field("number", "the guest's number", _SENT),
    Field("send_style", "as of an item", _SENT),
    Field("status", "as of an item; DECLINED is said as ERROR, RECEIVED as DELIVERED: there are four words", _LISTED),
)
_CONTENT = tuple(
    Field(name, "no call answers this object; see MessageResponse and MessageListResponse", _SEEN)
    for name in (
        "account_email", "content", "date_created", "date_sent", "date_updated", "from_number", "is_outbound",
        "media_url", "message_handle", "send_style", "status", "to_number",
    )
)  # fmt: skip
_PAGES = (
    Field("pagination.hasMore", "whether more of those that were looked at follow", _LISTED),
    Field("pagination.limit", "how many are in this answer", _LISTED),
    Field("pagination.offset", "as asked", _LISTED),
    Field("pagination.total", "how many match, of those that were looked at", _LISTED),
    Field("status", "`OK`", _LISTED),
)
_SEND = (
    Field("number", "`recipient`", _SENT),
    Field("content", "`content`, at most 18,996 characters", _WRONG),
    Field("media_url", "a file of the message, fetched before it goes out", _MEDIA),
    Field("from_number", "`from`: one of the property's senders; needed where it has several lines", _LINES),
    Field("send_style", _STYLE, _AS_SMS),
    Field("status_callback", "kept with the message; told of each change of its status", _TOLD),
    Field("seat_id", "kept as `metadata.sendblue.seat_id`; there are no seats to compare it with", _EMPTY),
    Field(
        "reply_to",
        "kept as `metadata.sendblue.reply_to`; the message goes out by itself, as Sendblue does on SMS",
        _EMPTY,
    ),
)
_LIST = (
    Field("limit", "1 to 100; 100 where it is left out", _LISTED),
    Field("offset", "at most 10,000", _LISTED),
    Field("order_by", "`created_at`, when it last changed, or `sent_at`", _LISTED),
    Field("order_direction", "the newest first, or the oldest", _LISTED),
    Field("status", "see above; of words that are never answered there is nothing", _LISTED),
    Field("service", "as it is answered", _LISTED),
    Field("is_outbound", "`true` or `false`", _LISTED),
    Field("message_type", "as it is answered; of guests' messages in a group chat `group` finds those, too", _GROUPED),
    Field("number", "the guest's number or the property's", _LISTED),
    Field("from_number", "who sent it", _LISTED),
    Field("to_number", "who got it", _LISTED),
    Field("sendblue_number", "the property's own number", _IN),
    Field("group_id", "as it is answered; a number finds texts to that number alone", _GROUPED),
    Field("account_email", "of another one than the property's there is nothing", _LISTED),
    *(
        Field(f"{time}_at_{bound}", "inclusive; ISO 8601, without a zone in UTC", _LISTED)
        for time in ("created", "updated", "sent")
        for bound in ("gte", "lte")
    ),
)
_WEBHOOKS = (
    Field("type", "`receive` (a guest's message) or `outbound` (changes of status); others are refused", _IN),
    Field("webhooks", "endpoints of the format `sendblue`, also at `GET /v1/webhooks`", _TOLD),
    Field("webhooks[].url", "`url` of an endpoint", _IN),
    Field("webhooks[].secret", "`secret` of an endpoint, shown to keys with `webhooks:write`", _IN),
    Field(
        "globalSecret",
        "the secret of those in the same request that have none of their own; not shown by itself",
        _TOLD,
    ),
)
DESCRIPTION = Description(
    "Sendblue",
    INTRO,
    (
        Described("MessageContent", _CONTENT),
        Described("MessageResponse", _RESPONSE),
        Described("MessageListResponse", (*(Field(f"data[].{name}", *rest) for name, *rest in _ITEM), *_PAGES)),
        Described(
            "MessageRetrieveResponse",
            (*(Field(f"data.{name}", *rest) for name, *rest in _ITEM), Field("status", "`OK`", _SEEN)),
        ),
        Described("POST /api/send-message", _SEND),
        Described("GET /api/v2/messages", _LIST),
        Described("GET /api/v2/messages/{message_id}", (Field("message_id", "`message_handle`, in any case", _SEEN),)),
        Described("GET /api/status", (Field("handle", "`message_handle`, in any case", _SEEN),)),
        Described("GET, POST, PUT, DELETE /api/account/webhooks", _WEBHOOKS),
        Described(
            "POST /api/v2/contacts/opt-out",
            (
                Field("number", "the address of a consent that binds all messages to it", _CONSENT),
                Field("opted_out", "an operator's opt-out, or opt-in; true where it is left out", _CONSENT),
            ),
        ),
        Described(
            "GET /api/evaluate-service",
            (
                Field("number", "a number; nobody is asked about it", _SERVICE),
                Field("service", "by what the last text to it went; not known: 404 and 10002", _SERVICE),
            ),
        ),
        Described(
            "POST /api/send-typing-indicator",
            (
                Field("number", "answered; nobody is shown anything, and `status` is ERROR", _CANNOT),
                Field("from_number", "taken, and of no consequence", _CANNOT),
                Field("state", "taken, and of no consequence", _CANNOT),
                Field("max_duration_ms", "taken, and of no consequence", _CANNOT),
            ),
        ),
        Described(
            "POST /api/send-group-message",
            (
                Field("numbers", "`recipients`, 2 to 25, each once", _GROUPED),
                Field("group_id", "instead: that of an earlier message of the property to a group", _GROUPED),
                *(one for one in _SEND if one.name != "number"),
            ),
        ),
    ),
)
