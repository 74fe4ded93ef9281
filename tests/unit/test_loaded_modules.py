"""What the programs import at their start: nothing that most of them never use. Counts, not times."""

from __future__ import annotations

import subprocess
import sys

import pytest

SDKS = ("twilio.rest", "sendgrid", "sendblue_api", "httpx", "requests", "obstore", "anthropic", "openai")
"""What calls providers: imported by `load_sdks`, or with the first call."""
SELDOM = ("rich", "attr", "pygments", "PIL", "filetype", "langcodes", "liquid", "phonenumbers.timezone", "markdown_it")
ENGINE = ("sqlalchemy", "psycopg", "temporalio", "pydantic", "structlog", "httpx2", "cryptography", "phonenumbers")
"""What no command needs to say how it is used."""


@pytest.mark.parametrize(
    ("program", "absent", "most"),
    [
        ("api.app", (*SDKS, *SELDOM, "httpx2", "aiohttp"), 1_680),
        ("worker", (*SDKS, *SELDOM, "aiohttp", "fastapi", "uvicorn"), 1_500),
        ("bellhop.cli.main", (*SDKS, *ENGINE, "bellhop.engine", "bellhop.store", "bellhop.settings"), 350),
    ],
)
def test_a_program_starts_without_what_it_may_never_use(program: str, absent: tuple[str, ...], most: int) -> None:
    print_them = f"import {program}, sys; print(len(sys.modules), *(name for name in {absent} if name in sys.modules))"
    ran = subprocess.run([sys.executable, "-c", print_them], capture_output=True, text=True, check=True)
    count, *found = ran.stdout.split()
    assert not found
    assert int(count) <= most, "modules of all kinds, the standard library's too"


def test_a_worker_that_sends_has_every_sdk_before_its_first_message() -> None:
    program = "import sys, bellhop.providers as p; p.load_sdks(); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {"twilio.rest.api.v2010", "sendgrid", "sendblue_api.resources.messages"} <= set(ran.stdout.split())
