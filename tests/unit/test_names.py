"""Names are the field's own: identifiers, modules and words that were replaced do not come back.

Each row says what stands for it now. What has to keep an old word is listed with its reason, file by file.
"""

from __future__ import annotations

import io
import re
import subprocess
import tokenize
from pathlib import Path

ROOT = Path(__file__).parents[2]

RETIRED: dict[str, str] = {
    # Identifiers, exactly as written → what is said instead.
    "door": "api, dependencies", "Door": "Services", "open_door": "open_api",
    "Guarded": "AuthenticatedRoute", "needs": "require_scope", "Entrance": "RequestMiddleware",
    "Callers": "Authenticator", "Waiting": "AcceptanceWait", "MUCH": "BULK_TIMEOUT",
    "Conductor": "TemporalDispatcher", "conducted": "with a workflow", "conducting": "running",
    "told": "reported, notified", "_told": "_notified", "Told": "Exchange", "TOLD": "REPORTED",
    "owed": "pending", "_owed": "_endpoints", "Owed": "PendingDelivery", "OWED": "PENDING",
    "debt": "pending notification", "debts": "pending notifications",
    "PostgresLedger": "AttemptStore", "Ledger": "AttemptStore",
    "Patient": "CheckContext", "patient": "check context", "PATIENT": "RETRY",
    "strange": "unknown", "Strangers": "MisbehavingServers", "strangers": "misbehaving_servers",
    "Audit": "Reconciliation", "audit": "reconciliation", "audits": "reconciliations",
    "settling": "outcome_resolution", "Sought": "LookupRequest", "sought": "lookup", "Found": "LookupResult",
    "Silence": "StatusPoll", "Enquiry": "PolledAttempt", "enquiry": "polled", "enquiries": "polled",
    "heard": "received", "Heard": "ReceivedCall", "lowered": "record_failure",
    "Hot": "CompiledStatement", "hot": "compiled", "told_plainly": "redact_errors",
    "_bury": "_anonymise", "_obey": "_apply_keyword", "wire": "contract",
    "Story": "Demo, MessageRun", "story": "demo, timeline, sequence", "stories": "workflows, sequences",
    "StoryFailed": "DemoFailed", "Beat": "Step", "books": "account_registry",
    "Letter": "Request", "Strike": "Fault", "strike": "fault", "strikes": "faults",
    "judge": "check_accounts, result_of", "Judge": "Checker", "Hushed": "BufferingConsole",
    "house": "stack", "House": "WebhookStack", "idle_house": "idle_stack", "town": "stack", "Town": "LiveStack",
    "nursery": "pool", "Nursery": "ProcessPool", "lane": "slot", "lanes": "slots", "Lane": "WorkerSlot",
    "open_lane": "open_slot", "street": "shared", "Street": "Shared",
}  # fmt: skip

MODULES = [
    "door",
    "entrance",
    "callers",
    "waiting",
    "conductor",
    "wakes",
    "ledger_report",
    "ledger_words",
    "strange",
    "audit",
    "audits",
    "differences",
    "settling",
    "hot",
    "wire",
    "words",
    "ports",
    "ports_webhooks",
    "private_networks",
    "guarded_http",
    "story",
    "books",
    "post",
    "plans",
    "field",
    "strikes",
    "letters",
    "judge",
    "house",
    "town",
    "nursery",
    "lane",
    "street",
    "lives",
    "strangers",
    "telemetry",
    "utils",
    "helpers",
    "manager",
]

WORDS: dict[str, str] = {
    # In prose, too. Words that also have an innocent sense are not here.
    r"\bconduct(?:or|ors|s|ed|ing)?\b": "dispatcher, workflow",
    r"\bdebts?\b": "pending notification",
    r"\bentrance\b": "middleware",
    r"\bdoors?\b": "API",
    r"\bnurser(?:y|ies)\b": "process pool",
    r"\b(?:worker )?lanes?\b": "worker slot",
    r"\bstor(?:y|ies)\b": "workflow, timeline, scenario",
    r"\bstrikes?\b": "fault",
    r"\bjudge\b": "checker",
    r"\bidle_house\b": "idle_stack",
    r"\bpatient(?:ly)?\b": "with retries",
}

KEPT: dict[tuple[str, str], str] = {
    # (file, what stands there) → why it may.
    ("bellhop/store/access/installation.py", "conductor"): "a column of the database",
    ("bellhop/store/tables/access.py", "conductor"): "a column of the database",
    ("tests/chaos/crash/worker_slot.py", "conductor"): "a column of the database",
    ("docs/decisions/0010-whose-temporal.md", "conductor"): "a column of the database",
    ("bellhop/dev/demo_messages.py", "door"): "a guest's room has one",
    ("bellhop/intents/languages/en.py", "door"): "a guest's room has one",
    ("bellhop/intents/languages/en.py", "entrance"): "a house has one",
    ("bellhop/domain/content.py", "strike"): "an element of HTML",
    ("bellhop/domain/short_links.py", "door"): "a guest's room has one",
    ("bellhop/domain/short_links.py", "entrance"): "a house has one",
    ("chaos/plan.py", "strikes"): "the name of a stream of random numbers: part of what a seed means",
    ("api/schemas/ledger.py", "owed"): "a member of the public object",
    ("bellhop/cli/report_tables.py", "owed"): "reads that member",
    ("bellhop/domain/message_report.py", "owed"): "fills that member",
    ("bellhop/domain/rows/reports.py", "owed"): "fills that member",
    ("bellhop/sandbox/store.py", "told"): "a column of the sandbox's file",
    ("bellhop/sandbox/store.py", "owed"): "a state in the sandbox's file and in its API",
    ("bellhop/sandbox/callback_sender.py", "told"): "reads that column",
    ("bellhop/sandbox/callback_sender.py", "owed"): "reads that state",
    ("bellhop/sandbox/control.py", "told"): "reads that column",
    ("bellhop/sandbox/scenarios.py", "told"): "fills that column",
}


def _tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "*.md", "*.yml"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    # What migrations did stays as it was done; this file has to name what it forbids.
    return [
        path for path in listed if not path.startswith("migrations/versions/") and path != "tests/unit/test_names.py"
    ]


def _identifiers(text: str) -> set[str]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {token.string for token in tokens if token.type == tokenize.NAME}


TRACKED = [path for path in _tracked() if (ROOT / path).is_file()]


def test_identifiers() -> None:
    wrong = []
    for path in TRACKED:
        if path.endswith(".py"):
            found = _identifiers((ROOT / path).read_text(encoding="utf-8")) & RETIRED.keys()
            wrong += [f"{path}: {name}; say instead: {RETIRED[name]}" for name in found if (path, name) not in KEPT]
    assert not wrong, "\n".join(wrong)


def test_words() -> None:
    wrong = []
    for path in TRACKED:
        text = (ROOT / path).read_text(encoding="utf-8")
        for pattern, instead in WORDS.items():
            for match in re.finditer(pattern, text, re.IGNORECASE):
                if (path, match[0].lower()) not in KEPT:
                    line = text.count("\n", 0, match.start()) + 1
                    wrong.append(f"{path}:{line}: {match[0]}; say instead: {instead}")
    assert not wrong, "\n".join(wrong)


def test_modules() -> None:
    assert not {path for path in TRACKED if Path(path).stem in MODULES}


def test_what_is_kept_is_still_there() -> None:
    """An exception that nothing needs any more goes."""
    gone = {
        (path, word)
        for path, word in KEPT
        if not (ROOT / path).is_file() or word not in (ROOT / path).read_text(encoding="utf-8").lower()
    }
    assert not gone
