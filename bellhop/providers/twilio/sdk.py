"""Twilio's SDK over guarded connections."""

from __future__ import annotations

import base64
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client
from twilio.rest.api import Api  # here: the SDK would import it, for half a second, within the first call
from twilio.rest.content import Content

from bellhop.domain.delivery_ports import Account
from bellhop.providers.lease_http import Http


def account_api(http: Http, account: Account) -> Any:
    """The SDK's resources of one account. Raises KeyError without a token."""
    api = Api(_client(http, account))
    api.base_url = account.base_url
    return api.v2010.account


def content_api(http: Http, account: Account) -> Any:
    """The SDK's templates of one account. Raises KeyError without a token."""
    content = Content(_client(http, account))
    # Of Twilio's own hosts the one beside the other; whatever else there is answers at one address.
    parts = urlsplit(account.base_url)
    own = parts.netloc.startswith("api.") and parts.netloc.endswith(".twilio.com")
    content.base_url = urlunsplit(parts._replace(netloc="content." + parts.netloc[4:])) if own else account.base_url
    return content.v1


def _client(http: Http, account: Account) -> Client:
    return Client(
        username=account.identity,
        password=account.credentials["auth_token"],
        http_client=_Transport(http),
        # Not the process's environment: TWILIO_EDGE and TWILIO_REGION would lead requests elsewhere.
        environment={"TWILIO_EDGE": ""},
    )


class _Transport(HttpClient):  # type: ignore[misc]  # the SDK ships no types
    """The SDK's requests, over guarded connections; logs nothing and keeps nothing."""

    def __init__(self, http: Http) -> None:
        super().__init__(logging.getLogger("twilio.http_client"), False)
        self._http = http

    def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        url = f"{uri}{'&' if '?' in uri else '?'}{urlencode(params, doseq=True)}" if params else uri
        sent = dict(headers or {})
        if auth:
            sent["Authorization"] = "Basic " + base64.b64encode(":".join(auth).encode()).decode()
        body = urlencode(data, doseq=True).encode() if data else None
        answer = self._http.request(method, url, sent, body)
        return Response(answer.status, answer.text, answer.headers)
