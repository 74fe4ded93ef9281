"""Sendblue's SDK over guarded connections."""

from __future__ import annotations

import httpx
from sendblue_api import SendblueAPI
from sendblue_api.resources.groups import GroupsResource
from sendblue_api.resources.messages import MessagesResource  # here: the SDK would import it within the first call

from bellhop.domain.delivery_ports import Account
from bellhop.providers.lease_http import Http


def messages_api(http: Http, account: Account) -> MessagesResource:
    """The SDK's messages of one account. Raises KeyError without a secret."""
    return _client(http, account).messages


def groups_api(http: Http, account: Account) -> GroupsResource:
    """The SDK's groups of one account. Raises KeyError without a secret."""
    return _client(http, account).groups


def _client(http: Http, account: Account) -> SendblueAPI:
    return SendblueAPI(
        api_key=account.identity,
        api_secret=account.credentials["api_secret_key"],
        base_url=account.base_url,
        # It would send a message up to three times on a time-out, a 409, a 429 or a 5xx.
        max_retries=0,
        http_client=httpx.Client(transport=_Transport(http), trust_env=False, follow_redirects=False),
    )


class _Transport(httpx.BaseTransport):
    """The SDK's requests, over guarded connections."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        # Host, length and connection are those of the connection underneath.
        kept = ("host", "content-length", "connection", "accept-encoding", "transfer-encoding")
        headers = {name: value for name, value in request.headers.items() if name not in kept}
        answer = self._http.request(request.method, str(request.url), headers, request.read() or None)
        dropped = ("content-encoding", "content-length", "transfer-encoding")
        given = [(name, value) for name, value in answer.headers.items() if name not in dropped]
        return httpx.Response(answer.status, headers=given, content=answer.body, request=request)
