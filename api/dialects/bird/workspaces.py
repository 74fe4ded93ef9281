"""Workspaces: the properties that a key opens, by their keys as UUIDs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from api import cursors
from api.auth import Caller
from api.problems import Forbidden, Invalid, NotFound
from bellhop.domain.ids import Prefix
from bellhop.domain.paging import PageRequest, Place
from bellhop.domain.rows.access import PropertyRow
from bellhop.domain.scopes import Scope
from bellhop.domain.serializers import timestamp


def scope_of(caller: Caller, workspace_id: str) -> Scope:
    """The one that a workspace is to this caller. Raises NotFound; Forbidden where the key opens both of its
    environments."""
    wanted = uuid_of(workspace_id)
    opened = [scope for scope in caller.scopes if scope.property_id == wanted]
    if not opened:
        raise NotFound
    if len(opened) > 1:
        raise Forbidden("This key opens several environments of the workspace; this call needs a key of one.")
    return opened[0]


def uuid_of(text: str) -> UUID:
    """An id of its paths. Raises NotFound."""
    try:
        found = UUID(text)
    except ValueError:
        raise NotFound from None
    if str(found) != text.lower():
        raise NotFound  # another spelling of a UUID
    return found


def page_of(limit: int, token: str | None, of: Prefix) -> PageRequest:
    """The page that a `pageToken` asks for, of a list of such objects. Raises Invalid."""
    if token is None:
        return PageRequest(limit)
    place = cursors.read(token, of)
    if place is None:
        raise Invalid(["query", "pageToken"], "expected a `nextPageToken` of an earlier page of this list", "cursor")
    return PageRequest(limit, after=place)


def paged(results: list[dict[str, Any]], following: Place | None, of: Prefix) -> dict[str, Any]:
    """A page as it answers one; without a token it is the last."""
    more = {} if following is None else {"nextPageToken": cursors.write(following, of)}
    return {"results": results, **more}


def shown(row: PropertyRow) -> dict[str, Any]:
    """A workspace, as far as there is something to say of it."""
    return {
        "id": str(row.id),
        "name": row.name,
        "timeZone": row.timezone,
        "createdAt": timestamp(row.created_at),
        "updatedAt": timestamp(row.updated_at),
    }
