"""Each field of Booking.com's messaging calls (developers.booking.com/demand/docs/messaging)."""

from __future__ import annotations

from api.dialects.dialect import Described, Description, Field

_SEED = "test_the_seeds_examples_both_ways"
_LATEST = "test_what_waits_comes_again_until_it_is_confirmed"
_OLDEST = "test_a_full_page_hides_nothing_older"
_TALK = "test_a_conversation_is_named_by_any_of_its_ids"
_HOTEL = "test_a_key_names_its_own_accommodation_only"
_WINDOW = "test_each_side_reads_and_writes_for_its_time"
_FILE = "test_a_picture_is_uploaded_sent_and_handed_out"
_UNFIT = "test_what_is_no_fit_picture_is_refused"
_WRONG = "test_what_is_wrong_is_said_in_its_form"

INTRO = """
`Authorization: Bearer` with a key of Bellhop's; `X-Affiliate-Id` is not looked at. Every call is POST, below
`/messages`. Whose side a call is on is its key's `side`: `property`, or `guest` for a platform on which the guests of
the property write (`bellhop keys create SLUG --side guest`). A key of the guests' side opens these calls only.

* `accommodation` is the property that the key opens, by its setting `accommodation`; also by its slug or id. Another
  is answered 403. `reservation` is a stay of the property with a guest, whatever its `source`: of several with one
  number the newest. Both are taken as numbers and as texts, and answered as texts.
* A message of the property travels by the channel `inbox`: `sent` once it lies in the conversation, where the guest's
  app shows it too if there is one, and `delivered` when the guests' side confirms it. A guest's message is theirs on
  that channel (`message.received`). It is by the stay's guest who booked, and to them.
* Where the property's setting `inbox_copies` is true (`bellhop properties policy SLUG --inbox-copies true`), what it
  writes also goes out on the guest's own channel, chosen as by `auto`: a message of its own, accepted with the first
  one, which its `metadata.booking.copy_of` names. It shows in no conversation here. Whom no channel reaches gets none.
* `/messages/latest` has what came by `inbox`; `/messages/conversations` has all of the conversation, whatever the
  channel: the newest 500, of what the property wrote for the guests' side only what has gone out.
* Reading: the property for 365 days after check-out or cancellation, guests for 66. Writing: guests for 66 days, the
  property for 7, or for 14 after the guest's last message. Else 403 `outside_window`.
* Errors are `{"request_id", "errors": [{"id", "message"}]}`: 400 `missing_parameter`, `invalid_parameter`,
  `conversation_mismatch`, `unknown_attachment` and `file_too_large`, 401 `unauthorized`, 403 `forbidden`, 404
  `not_found`, 415 `unsupported_media_type`, 429 `too_many_requests`, 500 `internal_error` and, while the database is
  away, `unavailable`. What was repeated is a message of its own: its clients repeat nothing by themselves.
* A field that is not below is passed over.
"""

_REQUEST_ID = Field("request_id", "the request's id, as in the header `X-Request-Id`", _SEED)
_ACCOMMODATION = Field("accommodation", "the key's property", _HOTEL)
_CONVERSATION = Field("conversation", "the stay's conversation, its key as a UUID", _TALK)
_RESERVATION = Field("reservation", "`reservation` of a stay", _TALK)
_IN_TALK = (_CONVERSATION, _ACCOMMODATION)

DESCRIPTION = Description(
    "Booking.com",
    INTRO,
    (
        Described(
            "POST /messages/send",
            (
                _RESERVATION,
                _CONVERSATION,
                _ACCOMMODATION,
                Field("content", "`content`, at most 10,000 characters", _SEED),
                Field("attachments", "files that this side uploaded to the conversation, each sent once", _FILE),
                _REQUEST_ID,
                Field("data.message", "the message's key as a UUID", _SEED),
            ),
        ),
        Described(
            "POST /messages/latest",
            (
                Field("data.messages", "what this side has not confirmed, newest first; of many the oldest", _OLDEST),
                Field("message_id", "the message's key as a UUID", _LATEST),
                Field("reply_to", "null: messages answer the conversation, no single one", _LATEST),
                Field("conversation.id", "as `conversation`", _LATEST),
                Field("conversation.accommodation", "the setting `accommodation`, else the slug", _LATEST),
                Field("conversation.reservation", "`reservation` of the stay", _LATEST),
                Field("content", "`content`", _SEED),
                Field("sender.participant_id", "the guest's or the property's key as a UUID", _LATEST),
                Field("sender.metadata.type", "`guest` or `property`", _LATEST),
                Field("sender.metadata.name", "the guest's or the property's name", _LATEST),
                Field("attachments", "ids of its pictures of at most 1,048,576 bytes", _FILE),
                Field("timestamp", "`sent_at`; of a guest's message when it was written", _LATEST),
            ),
        ),
        Described(
            "POST /messages/latest/confirm",
            (
                Field("messages", "at most 100; unknown ones are passed over", _LATEST),
                Field("confirmedMessages", "those that this side had not confirmed before", _LATEST),
            ),
        ),
        Described(
            "POST /messages/conversations",
            (
                *_IN_TALK,
                _RESERVATION,
                Field("data.conversation.id", "as `conversation`", _TALK),
                Field("data.conversation.reservation", "`reservation` of the stay", _TALK),
                Field("conversation.messages", "`id`, `sender`, `content`, `attachments` and when", _TALK),
                Field("messages.reply_to", "the conversation, as in Booking.com's example: no single one", _TALK),
                Field("conversation.participants", "the property and the stay's guests; `id` is a `sender`", _TALK),
                Field("participants.metadata", "`type`, `accommodation_id` and `name`", _TALK),
            ),
        ),
        Described(
            "POST /messages/attachments/upload",
            (
                *_IN_TALK,
                Field("file_name", "`filename` of the file", _FILE),
                Field("file_type", "`image/png` or `image/jpeg`; what else it is is told by its bytes", _UNFIT),
                Field("file_size", "bytes, at most 1,048,576; as many as `file_content` has", _UNFIT),
                Field("file_content", "base64", _UNFIT),
                Field("data.attachment", "the file's key as a UUID", _FILE),
            ),
        ),
        Described(
            "POST /messages/attachments/metadata",
            (
                *_IN_TALK,
                Field("attachment", "as above", _FILE),
                Field("data.metadata", "`file_name`, `file_type`, `file_size`", _FILE),
            ),
        ),
        Described(
            "POST /messages/attachments/download",
            (
                *_IN_TALK,
                Field("attachment", "as above", _FILE),
                Field("data.conversation", "as asked", _FILE),
                Field("data.attachment", "as asked", _FILE),
                Field("data.file_content", "base64; without what a camera wrote beside the picture", _FILE),
            ),
        ),
        Described(
            "Errors and time",
            (
                Field("errors.id", "a word, see above", _WRONG),
                Field("errors.message", "a sentence, with the field's name", _WRONG),
                Field("outside_window", "403", _WINDOW),
            ),
        ),
    ),
)  # fmt: skip
