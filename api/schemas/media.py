"""Files of a message on the wire."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from api.schemas.fields import Shown, Strict, id_pattern, wrong
from bellhop.domain.channels import CHANNELS, ChannelRules
from bellhop.domain.ids import Prefix, parse
from bellhop.domain.media import MediaUse
from bellhop.engine.errors import InvalidField

_CARRIED = " or ".join(channel.value for channel, rules in CHANNELS.items() if rules.media is not None)


class MediaItem(Strict):
    """A file that goes with a message: either one that was uploaded, or one behind a URL."""

    model_config = {"json_schema_extra": {"examples": [{"url": "https://www.grandsunset.example/lobby.jpg"}]}}

    url: Annotated[
        str | None,
        Field(max_length=2048, description="Where it is fetched from: https, a public host, no user or password."),
    ] = None
    asset_id: Annotated[
        str | None, Field(pattern=id_pattern(Prefix.ASSET), description="One that was uploaded to `/v1/assets`.")
    ] = None
    content_type: Annotated[
        str | None,
        Field(max_length=100, description="What it is; believed only of texts, everything else says it itself."),
    ] = None
    filename: Annotated[
        str | None, Field(min_length=1, max_length=200, description="What it is called to the guest.")
    ] = None

    @model_validator(mode="after")
    def _one(self) -> MediaItem:
        if (self.url is None) == (self.asset_id is None):
            raise wrong("media", "expected either `url` or `asset_id`")
        if self.url is not None and not is_url(self.url):
            raise wrong("media_url", "expected a URL that begins with https:// and names a host")
        return self

    def asked(self, place: int) -> MediaUse:
        """The same, as the engine takes it. Raises InvalidField."""
        asset_id = parse(Prefix.ASSET, self.asset_id) if self.asset_id else None
        if self.asset_id and asset_id is None:
            raise InvalidField(f"media.{place}.asset_id", "expected the id of a file of this property", "unknown_asset")
        return MediaUse(url=self.url, asset_id=asset_id, content_type=self.content_type, filename=self.filename)


def carried(media: list[MediaItem], rules: ChannelRules) -> list[MediaItem]:
    """The files, which the channel may carry. Raises PydanticCustomError."""
    if rules.media is None:
        raise wrong("media_unexpected", f"expected no files: {rules.name} carries none, but {_CARRIED}")
    if len(media) > rules.media.count:
        most = "one file" if rules.media.count == 1 else f"{rules.media.count} files"
        raise wrong("media_count", f"expected at most {most}: {rules.name} carries no more")
    return media


class UsedMedia(Shown):
    """A file that goes with a message."""

    url: Annotated[
        str | None,
        Field(description="Our copy, for whoever knows this address, until a day after the message is over; null: yet "
        "to be fetched."),
    ]  # fmt: skip
    content_type: str | None
    filename: str | None
    size: int | None


def is_url(text: str) -> bool:
    """Whether a file may be behind it."""
    try:
        parts = urlsplit(text)
        # http is for the private networks that the operator allows; who fetches it looks again.
        return parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
