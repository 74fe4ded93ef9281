"""Every line of a process's log is one JSON object, whoever wrote it."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import logging, warnings
import uvicorn
from bellhop.logging import configure_logs

uvicorn.Config("x:y", log_level="info")
configure_logs("INFO", "api")
log = logging.getLogger("uvicorn.error")
log.info('He said "hi" and left %s', "\\u007b")
log.info("Invalid HTTP request\\nreceived from jordan@example.com")
try:
    raise ValueError("jordan@example.com")
except ValueError:
    log.exception("Exception in ASGI application")
logging.getLogger("asyncio").error("Task exception was never retrieved\\nfuture: jordan@example.com")
warnings.warn("careful", stacklevel=1)
import structlog
structlog.get_logger().info("ours", ms=1)
"""


def test_logs_stay_json_whatever_a_library_says() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.stderr == ""
    assert [line["event"] for line in lines[:4]] == [
        'He said "hi" and left {', "Invalid HTTP request", "Exception in ASGI application",
        "Task exception was never retrieved",
    ]  # fmt: skip
    assert (lines[2]["error"], lines[2]["level"], lines[2]["logger"]) == ("ValueError", "error", "uvicorn.error")
    assert lines[-1]["event"] == "ours"
    assert {line["process"] for line in lines} == {"api"}
    assert "jordan" not in done.stdout
