"""Settings of media: where files lie, how large they may be, and for how long a foreign server is waited for."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from bellhop.settings_group import SettingsGroup

MIB = 1024 * 1024


class MediaSettings(SettingsGroup):
    """Files that messages carry. Read by the API and the workers, which share the directory."""

    model_config = SettingsConfigDict(env_prefix="MEDIA_")

    dir: Path = Field(
        default=Path(".bellhop/media"),
        description="directory of the files; the API's and the workers' processes all reach it under this name",
    )
    max_bytes: int = Field(default=20 * MIB, ge=MIB, le=100 * MIB, description="largest file, bytes")
    max_scope_bytes: int = Field(
        default=2048 * MIB, ge=MIB, description="what one property may keep in each environment, bytes in all"
    )
    keep_for: float = Field(
        default=2_592_000.0, ge=3600, description="how long a file is kept after its upload, seconds: 30 days"
    )
    fetch_timeout: float = Field(default=20.0, gt=0, le=120, description="fetching one file from its URL, seconds")
    upload_timeout: float = Field(default=120.0, gt=0, le=600, description="how long an upload may take, seconds")
    uploads_at_once: int = Field(
        default=8, ge=1, le=64, description="uploads one API process takes at a time; a quarter of them of one property"
    )
