"""Booking.com's own description of its messaging calls (Demand API 3.1: messages, conversations, attachments), as far
as a client is generated from it: names, types and what is required are Booking.com's. Its two ways to name a
conversation are one object here, and answers that it leaves undescribed are those of its guides."""

from __future__ import annotations

from typing import Any

TEXT, NUMBER, ANY = {"type": "string"}, {"type": "integer"}, {"type": "object"}
TIME = {"type": "string", "format": "date-time"}
TEXTS = {"type": "array", "items": TEXT}
IN_TALK = {"conversation": TEXT, "accommodation": TEXT}


def _object(title: str, properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    return {"title": title, "type": "object", "properties": properties, **({"required": required} if required else {})}


def _list(one: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": one}


SEND = _object(
    "SendMessageRequest",
    {**IN_TALK, "content": TEXT, "attachments": TEXTS},
    ["conversation", "content", "accommodation"],
)
TALK = _object("RetrieveConversationRequest", {**IN_TALK, "reservation": TEXT}, ["accommodation"])
UPLOAD = _object(
    "UploadAttachmentRequest",
    {**IN_TALK, "file_size": NUMBER, "file_name": TEXT, "file_type": TEXT, "file_content": TEXT},
    ["conversation", "accommodation", "file_size", "file_name", "file_type", "file_content"],
)
FILE = {**IN_TALK, "attachment": TEXT}
LATEST = _object(
    "LatestMessage",
    {
        "message_id": TEXT,
        "reply_to": {"type": ["string", "null"]},
        "conversation": _object("LatestConversation", {"id": TEXT, "accommodation": TEXT, "reservation": TEXT}),
        "content": TEXT,
        "sender": _object("Sender", {"participant_id": TEXT, "metadata": ANY}),
        "attachments": TEXTS,
        "timestamp": TIME,
    },
)
MESSAGE = {"id": TEXT, "sender": TEXT, "reply_to": TEXT, "content": TEXT, "attachments": TEXTS, "timestamp": TIME}
CONVERSATION = _object(
    "Conversation",
    {
        "id": TEXT,
        "reservation": TEXT,
        "messages": _list(_object("ConversationMessage", MESSAGE)),
        "participants": _list(_object("Participant", {"id": TEXT, "metadata": ANY})),
    },
)
METADATA = _object("AttachmentMetadata", {"file_size": NUMBER, "file_name": TEXT, "file_type": TEXT})


def _call(name: str, tag: str, body: dict[str, Any] | None, said: dict[str, Any]) -> dict[str, Any]:
    answer = _object(f"{name}Answer", {"request_id": TEXT, **said})
    described: dict[str, Any] = {
        "operationId": name,
        "tags": [tag],
        "parameters": [{"in": "header", "name": "X-Affiliate-Id", "schema": NUMBER, "required": True}],
        "responses": {"200": {"description": "Done.", "content": {"application/json": {"schema": answer}}}},
    }
    if body is not None:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return {"post": described}


def _data(name: str, **properties: Any) -> dict[str, Any]:
    return {"data": _object(f"{name}Data", properties)}


DESCRIPTION: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Booking.com Demand API: messaging", "version": "3.1"},
    "security": [{"BearerAuth": []}],
    "components": {"securitySchemes": {"BearerAuth": {"type": "http", "scheme": "bearer"}}},
    "paths": {
        "/messages/send": _call("messagesSend", "Messages", SEND, _data("Send", message=TEXT)),
        "/messages/latest": _call("messagesLatest", "Messages", None, _data("Latest", messages=_list(LATEST))),
        "/messages/latest/confirm": _call(
            "messagesLatestConfirm", "Messages", _object("ConfirmMessageReceiptRequest", {"messages": TEXTS}),
            {"confirmedMessages": TEXTS},
        ),
        "/messages/conversations": _call(
            "messagesConversations", "Conversations", TALK, _data("Talk", conversation=CONVERSATION)
        ),
        "/messages/attachments/upload": _call(
            "messagesAttachmentsUpload", "Attachments", UPLOAD, _data("Upload", attachment=TEXT)
        ),
        "/messages/attachments/metadata": _call(
            "messagesAttachmentsMetadata", "Attachments",
            _object("AttachmentMetadataRequest", FILE, [*FILE]), _data("Metadata", metadata=METADATA),
        ),
        "/messages/attachments/download": _call(
            "messagesAttachmentsDownload", "Attachments",
            _object("DownloadAttachmentRequest", FILE, [*FILE]),
            _data("Download", conversation=TEXT, file_content=TEXT),
        ),
    },
}  # fmt: skip
