"""Twilio's errors as the sandbox gives them: HTTP ones (on a call) and delivery ones (of a message)."""

from __future__ import annotations

import json

from starlette.responses import Response

# code: (HTTP status, message). https://www.twilio.com/docs/api/errors
HTTP_ERRORS: dict[int, tuple[int, str]] = {
    20001: (400, "Invalid parameter: {value}"),
    20003: (401, "Authenticate"),
    20004: (405, "Method not allowed"),
    20009: (409, "Cannot delete this message because its delivery has not been completed."),
    20404: (404, "The requested resource {value} was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "Internal Server Error"),
    20503: (503, "Service Unavailable"),
    21211: (400, "Invalid 'To' Phone Number: {value}"),
    21212: (400, "Invalid 'From' Phone Number: {value}"),
    21266: (400, "'To' and 'From' number cannot be the same: {value}"),
    21408: (400, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {value}"),
    21602: (400, "A text message body or media urls must be specified."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21606: (400, "The 'From' phone number provided ({value}) is not a valid, message-capable Twilio phone number"),
    21609: (400, "The 'StatusCallback' URL {value} is not a valid URL"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21612: (400, "Message cannot be sent with the current combination of 'To' ({value}) and/or 'From' parameters"),
    21614: (400, "To number: {value}, is not a mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21655: (400, "The ContentSid {value} is Invalid"),
    21656: (400, "The Content Variables parameter is invalid."),
    21620: (400, "Invalid media URL(s): {value}"),
    21623: (400, "Number of media files exceeds allowed limit"),
    21910: (400, "Invalid 'From' and 'To' pair. 'From' and 'To' should be of the same channel"),
    30400: (400, "Invalid request: Status and Body cannot be updated at once"),
    30409: (409, "Message is not in a state in which it can be canceled"),
    63007: (400, "Twilio could not find a Channel with the specified From address"),
    92001: (400, "Content types are required"),
}

# error_code: what the Message resource and later callbacks say of it.
DELIVERY_ERRORS: dict[int, str] = {
    30001: "Queue overflow",
    30002: "Account suspended",
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
    30036: "Validity Period Expired",
    63003: "Channel could not find To address",
    63005: "Channel did not accept given content",
    63014: "Failed to send message because it was blocked by user action",
    63016: "Failed to send freeform message because you are outside the allowed window",
    63018: "Rate limit exceeded for Channel",
    63021: "Channel invalid content error",
    63024: "Invalid message recipient",
    63032: "WhatsApp could not send this message because of a limitation on the user",
    63040: "Template rejected",
    63041: "Template paused",
    63049: "Meta chose not to deliver this WhatsApp marketing message",
}

_CODE_OF_STATUS = {400: 20001, 401: 20003, 404: 20404, 405: 20004, 429: 20429, 500: 20500, 503: 20503}


def reply(status: int, code: int | None, message: str) -> Response:
    """The JSON Twilio answers a wrong call with."""
    more = f"https://www.twilio.com/docs/errors/{code}" if code else None
    content = json.dumps({"code": code, "message": message, "more_info": more, "status": status})
    headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if status == 401 else None
    return Response(content, status, headers, "application/json")


class Refused(Exception):
    """The call is wrong: Twilio's error code, and the value its message quotes."""

    def __init__(self, code: int, value: str = "") -> None:
        super().__init__(code)
        self.code, self.value = code, value

    @property
    def reply(self) -> Response:
        status, message = HTTP_ERRORS[self.code]
        return reply(status, self.code, message.format(value=self.value))


def of_fault(status: int, code: int | None, message: str | None) -> Response:
    """The error a fault asks for; what it leaves out follows from the HTTP status."""
    code = code or _CODE_OF_STATUS.get(status, status * 100 if status < 500 else 20500)
    usual = HTTP_ERRORS.get(code, (status, DELIVERY_ERRORS.get(code, "Error")))[1]
    return reply(status, code, message or usual.format(value=""))
