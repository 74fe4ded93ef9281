"""Each field of Bird's description of messages (docs.bird.com, Programmable SMS), and of the calls beside it."""

from __future__ import annotations

from api.dialects.bird.webhook_description import SUBSCRIPTIONS
from api.dialects.dialect import Described, Description, Field

_SEED = "test_the_seeds_examples_both_ways"
_SENT = "test_what_it_sends_is_a_message_like_any_other"
_SEEN = "test_what_others_send_is_seen_through_it"
_KEPT = "test_what_no_field_of_ours_has_is_kept_and_shown"
_CONTACT = "test_a_contact_is_found_or_made"
_PROJECT = "test_a_template_is_named_by_its_project"
_MMS = "test_files_on_a_channel_without_mms_are_rejected"
_RULES = "test_the_rules_that_it_names_are_the_engines"
_WAITS = "test_a_scheduled_message_waits_and_is_withdrawn"
_LISTED = "test_lists_are_filtered_and_paged"
_CHANNELS = "test_channels_are_the_propertys_lines"
_BATCH = "test_a_batch_is_looked_at_after_it_was_taken_in"
_WRONG = "test_what_is_wrong_is_said_in_its_form"
_OPENED = "test_what_a_guest_did_is_an_interaction"
_SHORT = "test_links_are_short_where_it_asks_for_it"
_CLIENT = "test_its_own_client_sends_and_follows"

INTRO = """
`Authorization: AccessKey` or `Bearer`, with a key of Bellhop's. Everything is below `/workspaces`; its clients also
look for workspaces and keep webhook subscriptions below `/organizations`, whose id is not looked at. A client needs
another base URL, key, workspace and channel.

* A workspace is a property, by its key as a UUID; a key of several properties opens the workspaces of all. A channel is
  one of the property's lines, a sender for SMS or iMessage, by its key as a UUID. A message is one of the channel where
  it began, both ways; as long as it has no sender, of the one that the property uses.
* A send is answered 202 at once. Errors are `{"code", "message", "details"}`, `details` by field: 400 `BadRequest`
  (unreadable, or a name that is not below), 401, 403, 404, 409 `Conflict`, 422 `InvalidFormat` and 429; 405, 408 and
  413 under their own words, 500 `InternalError`, and 503 `ServiceUnavailable` while the database is away. An
  `Idempotency-Key` is taken as the native API takes it.
* A template is named by `projectId`. The property's setting `template_projects` says which of its templates that is, by
  name: `{"ce6a2fd6-b2fa-4f5a-a2cd-f3bd15883318": "arrival"}`. What is not there is the id of any version of a template.
  `version` is `latest` (the version in use) or a version's id, both as UUIDs. Templates are in Liquid, and
  `parameters` are theirs.
* A list is of the newest first, with `reverse` of the oldest. A page looks at 10,000 messages of the property at most:
  one that is short has a `nextPageToken` all the same, as long as there is more.
* `failure.code`: 11001 (the account or sender is not set up), 11002 (wrong input), 12001 (the provider's fault), 12002
  (files on a channel without MMS, or of another type), 12003 (the number), 14001 (opted out, over a cap, too late),
  15001 (every other one).
* What a field of ours does not have is kept as `metadata.bird` of the message.
"""

_CONNECTOR = "the channel: its id and address; nothing is known of `annotations` and `types`"
_MESSAGE = (
    Field("id", "the message's key as a UUID; `omsg_…` is the same in other letters", _SENT),
    Field("channelId", "the channel where it began", _SEEN),
    Field("sender.connector", f"{_CONNECTOR}; of a guest's message `sender.contact`, who wrote", _SENT),
    Field("sender.connector.id", "the channel's id", _SENT),
    Field("sender.connector.identifierValue", "the property's own number", _SENT),
    Field("sender.connector.annotations.name", "left out", _SENT),
    Field("sender.connector.types", "left out", _SENT),
    Field("receiver.connector", f"of a guest's message {_CONNECTOR}", _SENT),
    Field("receiver.connector.id", "the channel's id", _SENT),
    Field("receiver.connector.identifierValue", "the property's own number", _SENT),
    Field("receiver.connector.annotations.name", "left out", _SENT),
    Field("receiver.connector.types", "left out", _SENT),
    Field("receiver.contacts", "of one to a guest: the guest's key as a UUID, `phonenumber` and the number", _CONTACT),
    Field("meta", "as it was given", _KEPT),
    *(
        Field(f"meta.{name}", "as it was given", _KEPT)
        for name in (
            "referral", "referral.source", "referral.title", "referral.text", "referral.group", "referral.metadata",
            "order", "order.products", "referredProduct", "email", "email.subject", "email.from", "pushNotifications",
            "pushNotifications.gatewayTypeOverride", "navigatorId", "navigatorMessageId", "flow", "journey", "campaign",
        )
    ),
    Field("reference", "as it was given", _KEPT),
    Field("parts", "one for each provider call that was taken", _CLIENT),
    Field("parts[].platformReference", "what the provider calls it", _CLIENT),
    Field(
        "status",
        "`accepted` and `processing` (a provider was called) while it is `queued`, `scheduled` until its time, "
        "`sent`, `delivered` also when it was read and of a guest's own, `delivery_failed` what a provider took, "
        "`rejected` what we refused after it was taken in, `sending_failed` every other failure, `deleted` `cancelled`",
        _SENT,
    ),
    Field("reason", "`metadata.error.code`", _MMS),
    Field("direction", "`outgoing`, or `incoming` of a guest's", _SEEN),
    Field("origin", "the failed message that it sends again, else left out", _SENT),
    Field("origin.type", "`message`", _SENT),
    Field("origin.id", "that message's id", _SENT),
    Field("replyTo", "as it was given", _KEPT),
    Field("replyTo.id", "as it was given", _KEPT),
    Field("replyTo.type", "as it was given", _KEPT),
    Field("lastStatusAt", "when it came to its status", _SENT),
    Field("createdAt", "`created_at`", _SENT),
    Field("updatedAt", "when it last changed", _SENT),
    Field("details", "`metadata.error.message`; of one of a batch that was refused what was expected", _BATCH),
    Field("failure", "only of one that failed, with the number `code`, see above", _MMS),
    Field("failure.description", "what the number says", _MMS),
    Field("failure.source.code", "`metadata.error.provider_code`, else `metadata.error.code`", _MMS),
    Field("failure.source.name", "the provider, else `bellhop`", _MMS),
    Field("tags", "as they were given, in lower case", _KEPT),
    Field("shortLinks", "`enabled` and `domain` where its links were made short, else as it was given", _SHORT),
    Field("shortLinks.domain", "where they are", _SHORT),
    Field("scheduledFor", "`scheduled_at`", _WAITS),
    Field("template", "as it was given; then there is no `body`", _PROJECT),
    Field("body", "as it was given; of what others sent its text and files", _SEED),
    Field("body.type", "`text`, `image` or `file`", _SEED),
    *(
        Field(f"body.text.{name}", "as it was given", _SEED)
        for name in (
            "text", "attachments[].mediaUrl", "attachments[].filename", "attachments[].inline", "actions[].type",
            "actions[].link.text", "actions[].link.url", "metadata.subject", "metadata.whatsapp.previewUrl",
            "metadata.line.emoji.items", "metadata.telegram.parseMode",
        )
    ),
)  # fmt: skip
_SEND = (
    Field("workspaceId", "the property", _WRONG),
    Field("channelId", "one of its lines, from which it goes out", _SENT),
    Field("sender", "`connector` with the channel's own id or `identifierValue`; another one is refused (422)", _WRONG),
    Field("receiver", "exactly one contact", _WRONG),
    Field("receiver.contacts[].id", "a guest's key as a UUID; it goes to their number", _CONTACT),
    Field("receiver.contacts[].identifierKey", "`phonenumber`, or left out", _CONTACT),
    Field(
        "receiver.contacts[].identifierValue",
        "the number. Of one that is nobody's a guest is made, unless the property's `guests_from_inbound` is false",
        _CONTACT,
    ),
    Field("reference", "kept, and shown", _KEPT),
    Field("template.projectId", "a template, see above", _PROJECT),
    Field("template.version", "`latest`, or the id of a version that is not archived", _PROJECT),
    Field("template.locale", "`template.locale`; left out: the guest's language, else the property's", _PROJECT),
    Field("template.parameters", "`template.parameters`, by `key`; `type` is not looked at", _PROJECT),
    Field("template.variables", "the same", _PROJECT),
    Field("template.shortLinks", "instead of `shortLinks`", _SHORT),
    Field("meta", "kept, and shown: at most 16 KiB; other names than the response's are refused", _KEPT),
    Field(
        "meta.extraInformation.useCase",
        "`category`: `marketing`, `promotional`, `conversational`, `2fa`, `otp`, `authentication`; else transactional",
        _RULES,
    ),
    Field("replyTo", "kept, and shown; the message goes out by itself, as texts do", _KEPT),
    Field("body.text", "`content`; links of `actions` stand below it as text", _SEED),
    Field("body.image", "`content` and up to ten `media`", _SEED),
    Field("body.file", "the same", _SEED),
    Field("body.*.metadata.subject", "the first line of `content`: a text has no subject of its own", _SEED),
    Field("notification", "kept, and told nothing: subscribe to the channel's events instead", _KEPT),
    Field("capFrequency", "without it `ignore_frequency_cap` is so; marketing only", _RULES),
    Field("enableLinkTracking", "`link_tracking`: of marketing and of tests; left out: as the property has it", _SHORT),
    Field("ignoreQuietHours", "`ignore_quiet_hours`", _RULES),
    Field("tags", "at most ten; kept in lower case, each once", _KEPT),
    Field(
        "shortLinks",
        "`short_links`; with `enabled` true `domain` is the property's own or that of the API, or left out (else 422). "
        "Without `enabled` it is as the property has it",
        _SHORT,
    ),
    Field("scheduledFor", "`scheduled_at`, at most 35 days ahead (422)", _WAITS),
    Field("validity", "`validity`; left out: 129,600 seconds, 600 of a code", _RULES),
)
_LIST = (
    Field("limit", "1 to 100; 10 where it is left out", _LISTED),
    Field("pageToken", "the `nextPageToken` of the page before", _LISTED),
    Field("reverse", "the oldest first", _LISTED),
    Field("status", "as it is answered", _LISTED),
    Field("direction", "`incoming` or `outgoing`", _LISTED),
    Field("startAt", "created then or later; RFC 3339", _LISTED),
    Field("endAt", "created then or earlier", _LISTED),
    Field("batchId", "those of a batch", _BATCH),
    Field("results", "messages", _LISTED),
    Field("nextPageToken", "left out on the last page", _LISTED),
)
_CHANNEL = (
    Field("id", "the sender's key as a UUID", _CHANNELS),
    Field("platformId", "`sms-messagebird` or `imessage`", _CHANNELS),
    Field("name", "`name` of the sender, else its address", _CHANNELS),
    Field("connectorId", "its account's key as a UUID", _CHANNELS),
    Field("identifier", "`address` of the sender", _CHANNELS),
    Field("status", "`active`", _CHANNELS),
    Field("capabilities.messaging.outgoing.mms.status", "`active` where messages from it may have files", _CHANNELS),
)
DESCRIPTION = Description(
    "Bird",
    INTRO,
    (
        Described("Message", _MESSAGE),
        Described("POST /workspaces/{workspaceId}/channels/{channelId}/messages", _SEND),
        Described("GET /workspaces/{workspaceId}/channels/{channelId}/messages", _LIST),
        Described(
            "GET and DELETE /workspaces/{workspaceId}/channels/{channelId}/messages/{messageId}",
            (
                Field("messageId", "`id` of a message of the channel", _SEEN),
                Field("DELETE", "withdraws one that has not gone out, else 409; ours", _WAITS),
            ),
        ),
        Described(
            "GET …/messages/{messageId}/interactions",
            (
                Field(
                    "results[].type",
                    "`opened`, or `clicked`: a person followed one of its short links, the first 50 times of each; no "
                    "carrier tells of `reported-as-spam`",
                    _SHORT,
                ),
                Field("results[].createdAt", "when", _OPENED),
            ),
        ),
        Described(
            "POST /workspaces/{workspaceId}/channels/{channelId}/batch/messages",
            (
                Field("messageRequests", "1 to 100 messages, as a single send takes them", _BATCH),
                Field("batchId", "of this batch: a list's `batchId`", _BATCH),
            ),
        ),
        Described("GET /workspaces/{workspaceId}/channels", _CHANNEL),
        *SUBSCRIPTIONS,
    ),
)
ORGANIZATIONS = Description(
    "Bird, one level higher",
    "Where its clients look for workspaces. Everything else is as of Bird.",
    (
        Described(
            "GET /organizations/{organizationId}/workspaces",
            (
                Field("organizationId", "any UUID: it is not looked at", _CLIENT),
                Field("results[].id", "the property's key as a UUID", _CLIENT),
                Field("results[].name", "`name` of the property", _CLIENT),
                Field("results[].timeZone", "`timezone` of the property", _CLIENT),
            ),
        ),
    ),
)
