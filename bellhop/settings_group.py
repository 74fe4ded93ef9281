"""What every group of settings is: the variables of one prefix, read once by `bellhop.settings`."""

from __future__ import annotations

from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsGroup(BaseSettings):
    """A part of the settings that belongs to one room. The first line of its docstring heads its part of
    `.env.example`, and each field's description stands above its variable there."""

    # `NAME=` in a .env file means that NAME is not set.
    model_config = SettingsConfigDict(env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore")
