"""What every group of settings is: the variables of one prefix, read once by `bellhop.settings`."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict


def _http(value: str) -> str:
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment:
        raise PydanticCustomError("url", "expected an address with its scheme, such as https://bellhop.example.com")
    return value.rstrip("/")


HttpUrl = Annotated[str, AfterValidator(_http)]
"""Where something is that speaks HTTP; no slash at its end."""


class SettingsGroup(BaseSettings):
    """A part of the settings that belongs to one room. The first line of its docstring heads its part of
    `.env.example`, and each field's description stands above its variable there."""

    # `NAME=` in a .env file means that NAME is not set.
    model_config = SettingsConfigDict(env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore")
