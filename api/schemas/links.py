"""Short links on the wire: as a message asks for them, and who followed them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.schemas.fields import Shown, Strict
from api.schemas.message_example import EXAMPLE
from bellhop.domain import short_links

_LIFE = f"{short_links.SHORTEST_LIFE} to {short_links.LONGEST_LIFE:,}"


class ShortLinks(Strict):
    """Whether the links in a message are made short."""

    model_config = {"json_schema_extra": {"examples": [{"enabled": True, "expires_after": 2_592_000}]}}

    enabled: Annotated[bool, Field(description="false: they stay as they are, whatever the property says.")] = True
    domain: Annotated[
        str | None,
        Field(
            max_length=253,
            description="Where they are: the `domain` of the property's setting `short_links`, or the API's host. Left "
            "out or null: the first of these that there is.",
        ),
    ] = None
    expires_after: Annotated[
        int | None,
        Field(
            ge=short_links.SHORTEST_LIFE,
            le=short_links.LONGEST_LIFE,
            description=f"Seconds after the message is due that they lead somewhere, {_LIFE}. Left out or null: the "
            f"property's `expires_after`, else {short_links.USUAL_LIFE:,}, which is 180 days.",
        ),
    ] = None

    def asked(self) -> short_links.ShortLinks:
        """The same, as the engine takes it."""
        return short_links.ShortLinks(self.enabled, self.domain, self.expires_after)


class UsedShortLinks(Shown):
    """How a message's links were made short."""

    enabled: bool
    domain: str
    expires_after: int


Asked = Annotated[
    ShortLinks | None,
    Field(
        description="Whether the links in it, and in its fallback, are made short as it is accepted: `content` shows "
        "what goes out, and `GET /v1/messaging/{id}/links` who followed them. Left out or null: as the property's "
        "setting `short_links` says, but never in `two_factor` messages and those with the code of a room "
        "(`door_code`, `room_code`, `access_code`, `pin` … as a tag, a key of the metadata or a template's parameter)."
    ),
]
Tracked = Annotated[
    bool | None,
    Field(
        description="Whether `utm_source`, `utm_medium` and `utm_campaign` are appended to its links: in `marketing` "
        "messages and in the test environment; elsewhere nothing is. Left out or null: as for `short_links`."
    ),
]


class FirstClick(Shown):
    """One of the first times that a link was followed."""

    at: datetime
    bot: Annotated[bool, Field(description="Whether it seems to have been a machine: a preview, a scanner of mails.")]


class MessageLink(Shown):
    """A short link of a message and who followed it. Of nobody is kept from where they came."""

    url: Annotated[str, Field(description="As it went out.")]
    target: Annotated[str, Field(description="Where it leads.")]
    created_at: datetime
    expires_at: datetime
    clicks: Annotated[int, Field(description="By people, as far as that can be told.")]
    bot_clicks: Annotated[int, Field(description="By machines.")]
    first_clicked_at: Annotated[datetime | None, Field(description="By a person.")]
    last_clicked_at: Annotated[datetime | None, Field(description="By a person.")]
    first_clicks: Annotated[
        list[FirstClick], Field(description="The first 50, of all links of a message the first 500.")
    ]


class MessageLinks(Shown):
    """The short links of a message, in the order in which they stand in it."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "message_id": EXAMPLE["id"],
                    "data": [
                        {
                            "url": "https://go.hotel.example/s/8hGfK3mWqZ",
                            "target": "https://hotel.example/check-in?booking=GSR-1842",
                            "created_at": "2026-03-15T10:00:00.981132Z",
                            "expires_at": "2026-09-11T10:00:00.981132Z",
                            "clicks": 1,
                            "bot_clicks": 1,
                            "first_clicked_at": "2026-03-15T10:04:12.000318Z",
                            "last_clicked_at": "2026-03-15T10:04:12.000318Z",
                            "first_clicks": [
                                {"at": "2026-03-15T10:00:02.103451Z", "bot": True},
                                {"at": "2026-03-15T10:04:12.000318Z", "bot": False},
                            ],
                        }
                    ],
                }
            ]
        }
    }

    message_id: str
    data: list[MessageLink]
