"""SendGrid's SDK over guarded connections."""

from __future__ import annotations

from email.message import Message
from typing import Any
from urllib.request import Request

from python_http_client.client import Client
from python_http_client.exceptions import HTTPError, err_dict
from sendgrid import SendGridAPIClient

from bellhop.domain.delivery_ports import Account
from bellhop.providers.lease_http import Answer, Http


def client_of(http: Http, account: Account) -> Any:
    """The SDK's client for an account. Raises KeyError without a key: it would look for one in the environment."""
    client = SendGridAPIClient(account.credentials["api_key"], host=account.base_url.rstrip("/"))
    client.client = _Client(http, host=client.host, request_headers=client._default_headers, version=3)
    return client


class _Opened:
    """A guarded answer as the SDK expects one of urllib."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def getcode(self) -> int:
        return self._answer.status

    def read(self) -> bytes:
        return self._answer.body

    def info(self) -> Message:
        return _headers(self._answer)


class _Client(Client):  # type: ignore[misc]  # the SDK ships no types
    """The SDK's HTTP client, over guarded connections: urllib follows redirects and hides whether a request left."""

    def __init__(self, http: Http, **options: Any) -> None:
        super().__init__(**options)
        self._http = http

    def _build_client(self, name: str | None = None) -> _Client:
        return _Client(
            self._http,
            host=self.host,
            version=self._version,
            request_headers=self.request_headers,
            url_path=[*self._url_path, name] if name else self._url_path,
            append_slash=self.append_slash,
        )

    def _make_request(self, opener: object, request: Request, timeout: float | None = None) -> _Opened:
        body = request.data if isinstance(request.data, bytes) else None
        headers = dict(request.header_items())
        answer = self._http.request(request.get_method(), request.full_url, headers, body)
        if answer.status >= 300:
            raise err_dict.get(answer.status, HTTPError)(answer.status, "", answer.body, _headers(answer))
        return _Opened(answer)


def _headers(answer: Answer) -> Message:
    message = Message()
    for name, value in answer.headers.items():
        message[name] = value
    return message
