"""Settings of the spool: where callbacks are kept while the database is away, how much of them, and from when."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from bellhop.settings_group import SettingsGroup


class SpoolSettings(SettingsGroup):
    """Callbacks kept on disk while the database is away. Read by the API."""

    model_config = SettingsConfigDict(env_prefix="SPOOL_")

    dir: Path = Field(
        default=Path(".bellhop/spool"),
        description="directory on a local disk that outlives the process; API processes of one machine may share it",
    )
    max_entries: int = Field(
        default=20_000, ge=0, description="callbacks it keeps at most, then they are answered 503; 0: no spool"
    )
    max_bytes: int = Field(default=268_435_456, ge=0, description="bytes it keeps at most")
    after: float = Field(
        default=3.0,
        gt=0,
        le=8,
        description="how long a callback waits for the database before it is kept on disk, seconds; Twilio waits 5 "
        "for an answer, as its addresses say, and SendGrid 10",
    )
