"""Files of guests' messages at Twilio: where they are fetched, and how they are deleted.

Twilio keeps them until they are deleted, and hands them out to the account's credentials
(twilio.com/docs/messaging/api/media-resource). A callback's address is read for the ids in it alone: a file is asked
for where the account is, and nowhere else.
"""

from __future__ import annotations

import base64
import re

from bellhop.domain.delivery_ports import Account
from bellhop.domain.inbound_files import FileAddress
from bellhop.providers.lease_http import Call, Http
from bellhop.providers.twilio.client import account_api

_URL = re.compile(
    r"https?://[^/?#]+/2010-04-01/Accounts/AC[0-9a-fA-F]{32}"
    r"/Messages/((?:MM|SM)[0-9a-fA-F]{32})/Media/(ME[0-9a-fA-F]{32})"
)
_ID = re.compile(r"((?:MM|SM)[0-9a-fA-F]{32})/(ME[0-9a-fA-F]{32})")


def id_of(url: str) -> str | None:
    """The sids of message and file in an address of Twilio's, `MM…/ME…`; None: it is none."""
    found = _URL.fullmatch(url)
    return f"{found[1]}/{found[2]}" if found else None


def address(account: Account, provider_id: str | None) -> FileAddress | None:
    """See `delivery_ports.Provider.file_at`. Twilio sends on to where the bytes are, which takes no credentials."""
    found = _ID.fullmatch(provider_id or "")
    if found is None:
        return None
    named = f"{account.identity}:{account.credentials.get('auth_token', '')}"
    url = f"{account.base_url.rstrip('/')}/2010-04-01/Accounts/{account.identity}/Messages/{found[1]}/Media/{found[2]}"
    return FileAddress(url, {"authorization": "Basic " + base64.b64encode(named.encode()).decode()})


def delete(http: Http, account: Account, provider_id: str, timeout: float) -> bool:
    """See `delivery_ports.Provider.delete_file`."""
    found = _ID.fullmatch(provider_id)
    if found is None:
        return True
    with Call(timeout=timeout) as call:
        try:
            return bool(account_api(http, account).messages(found[1]).media(found[2]).delete())
        except Exception:  # noqa: BLE001  never raises: the answer says what there is to know
            return call.answer is not None and call.answer.status == 404
