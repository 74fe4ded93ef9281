"""Where a guest's data could be: every table, the folders of files and of callbacks, Temporal; searched for traces."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from temporalio.service import RPCError, RPCStatusCode

from .engine import Engine

_COLUMNS = """
  select table_name, column_name, data_type from information_schema.columns
  where table_schema = 'public' and data_type in ('text', 'character varying', 'json', 'jsonb', 'bytea', 'ARRAY', 'xml')
  order by 1, 2
"""


async def in_tables(stack: Engine, traces: Iterable[str]) -> list[str]:
    """The columns of any table, whether this version knows it or not, that have one of these: bytes are searched as the
    bytes that they are."""
    found: list[str] = []
    columns = await stack.rows(_COLUMNS)
    assert len(columns) > 100, "it looks at the whole schema"
    for column in columns:
        name = f'"{column["column_name"]}"'
        said = f"encode({name}, 'escape')" if column["data_type"] == "bytea" else f"lower({name}::text)"
        for trace in traces:
            where = trace if column["data_type"] == "bytea" else trace.lower()
            rows = await stack.rows(
                f'select count(*) as count from "{column["table_name"]}" where strpos({said}, :trace) > 0', trace=where
            )
            if rows[0]["count"]:
                found.append(f"{column['table_name']}.{column['column_name']}: {trace} in {rows[0]['count']} rows")
    return found


def in_files(folders: Iterable[Path | None], traces: Iterable[str]) -> list[str]:
    """The files that have one of these, in their names or bytes."""
    found = []
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder is not None and folder.exists() else ():
            held = path.read_bytes() if path.is_file() else b""
            found += [f"{path}: {trace}" for trace in traces if trace in str(path) or trace.encode() in held]
    return found


async def in_temporal(stack: Engine, since: datetime, traces: Iterable[str]) -> list[str]:
    """The workflows since then that have one of these: in what the server lists of them, or in their histories."""
    found: list[str] = []
    looked = 0
    moment = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    async for one in stack.client.list_workflows(f'StartTime >= "{moment}"'):
        looked += 1
        held = [str(one.raw_info)]
        try:
            history = await stack.client.get_workflow_handle(one.id, run_id=one.run_id).fetch_history()
            held.append(_opened(json.loads(history.to_json())))
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        found += [f"{one.id}: {trace}" for trace in traces if any(trace in each for each in held)]
    assert looked, "it looks at what there is"
    return found


def _opened(value: Any) -> str:
    """A history as text, with its payloads as they were before they were encoded."""
    if isinstance(value, dict):
        data = value.get("data")
        inside = (
            base64.b64decode(data).decode(errors="replace") if isinstance(data, str) and "metadata" in value else ""
        )
        return " ".join([inside, *(f"{name} {_opened(each)}" for name, each in value.items())])
    if isinstance(value, list):
        return " ".join(map(_opened, value))
    return str(value)
