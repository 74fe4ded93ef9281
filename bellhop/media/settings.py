"""Settings of media: where files lie, how large they may be, and for how long a foreign server is waited for."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from pydantic import Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import SettingsConfigDict

from bellhop.settings_group import HttpUrl, SettingsGroup

MIB = 1024 * 1024


class MediaSettings(SettingsGroup):
    """Files that messages carry. Read by the API and the workers, which share the directory or the bucket."""

    model_config = SettingsConfigDict(env_prefix="MEDIA_")

    dir: Path = Field(
        default=Path(".bellhop/media"),
        description="directory of the files; the API's and the workers' processes all reach it under this name",
    )
    s3_bucket: str | None = Field(
        default=None,
        description="bucket of an S3-compatible service that holds the files instead of the directory: what several "
        "machines need that share no file system (the extra s3)",
    )
    s3_prefix: str = Field(default="bellhop", description="what the files' names in the bucket begin with")
    s3_endpoint: HttpUrl | None = Field(default=None, description="where that service is; none: Amazon's")
    s3_region: str = Field(default="us-east-1", description="the bucket's region, as its service calls it")
    s3_access_key_id: str | None = Field(
        default=None, description="with which key; none: as the machine's role or AWS_… says"
    )
    s3_secret_access_key: SecretStr | None = Field(default=None, description="and its secret")
    max_bytes: int = Field(default=20 * MIB, ge=MIB, le=100 * MIB, description="largest file, bytes")
    max_scope_bytes: int = Field(
        default=2048 * MIB,
        ge=MIB,
        description="what one property may keep in each environment, bytes in all; as much again of what guests send",
    )
    keep_for: float = Field(
        default=2_592_000.0, ge=3600, description="how long a file is kept after its upload, seconds: 30 days"
    )
    keep_received_for: float = Field(
        default=31_536_000.0, ge=3600, description="how long a file is kept that a guest sent, seconds: a year"
    )
    fetch_timeout: float = Field(default=20.0, gt=0, le=120, description="fetching one file from its URL, seconds")
    upload_timeout: float = Field(default=120.0, gt=0, le=600, description="how long an upload may take, seconds")
    uploads_at_once: int = Field(
        default=8, ge=1, le=64, description="uploads one API process takes at a time; a quarter of them of one property"
    )

    @model_validator(mode="after")
    def _whole(self) -> MediaSettings:
        if (self.s3_access_key_id is None) != (self.s3_secret_access_key is None):
            raise PydanticCustomError(
                "s3", "expected MEDIA_S3_ACCESS_KEY_ID and MEDIA_S3_SECRET_ACCESS_KEY, or neither of them"
            )
        if self.s3_bucket is not None and find_spec("obstore") is None:
            raise PydanticCustomError(
                "s3", "MEDIA_S3_BUCKET needs the extra s3, which is not installed: uv sync --extra s3"
            )
        return self
