"""Each field of Bird's webhook subscriptions (docs.bird.com, Notifications API), and of what is posted to them."""

from __future__ import annotations

from api.dialects.dialect import Described, Field

_POSTED = "test_what_becomes_of_a_message_is_posted_signed_and_in_order"
_INBOUND = "test_what_guests_write_is_posted_and_a_failure_is_tried_again"
_CHANGED = "test_subscriptions_are_listed_changed_and_deleted"
_REFUSED = "test_what_is_no_subscription_is_refused"
_LOOKS = "test_who_may_only_look_sees_no_signing_key"

SUBSCRIPTIONS = (
    Described(
        "Webhook subscriptions",
        (
            Field("id", "the key as a UUID of an endpoint of the property's whose `format` is `bird`", _CHANGED),
            Field("organizationId", "left out, and not looked at in a path", _CHANGED),
            Field("workspaceId", "the key's property", _POSTED),
            Field("service", "`channels`; others are refused", _REFUSED),
            Field("event", "`outbound` or `inbound` after `sms.` or `imessage.`: messages on that channel", _POSTED),
            Field("eventFilters", "`channelId` and `status`, each once; both must match. Others are refused", _POSTED),
            Field("template", "refused: what is posted is Bird's message", _REFUSED),
            Field("url", "`url`; no private address, as of any endpoint", _REFUSED),
            Field("signingKey", "signs what is posted; shown to keys with `webhooks:write`", _LOOKS),
            Field("status", "`active` or `inactive`: `is_active`", _CHANGED),
            Field("createdAt", "`created_at`", _CHANGED),
            Field("updatedAt", "`updated_at`", _CHANGED),
        ),
    ),
    Described(
        "What is posted to a subscription",
        (
            Field("service", "`channels`", _POSTED),
            Field("event", "the subscription's", _POSTED),
            Field("payload", "the message: sent, delivered, failed, deleted or received, as it then was", _POSTED),
            Field("messagebird-signature", "HMAC-SHA256 of time, URL and the body's SHA-256, in base64", _POSTED),
            Field("messagebird-request-timestamp", "seconds; changes with each try", _POSTED),
            Field("messagebird-request-id", "the event's key as a UUID; the same with each try", _INBOUND),
        ),
    ),
)  # fmt: skip
