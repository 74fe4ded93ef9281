"""The only SQL of the sandbox: what was accepted, what is still owed, who opted out, what was set.

SQLite in WAL mode with `synchronous=OFF`: a commit survives the death of the process (not of the machine), and costs
microseconds, so every write is simply made before the answer that depends on it.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, provider TEXT NOT NULL, id TEXT NOT NULL, account TEXT NOT NULL,
  direction TEXT NOT NULL, recipient TEXT NOT NULL, sender TEXT NOT NULL, subject TEXT, content TEXT NOT NULL,
  html TEXT, status TEXT NOT NULL, error_code INTEGER, accepted_at REAL NOT NULL, sent_at REAL,
  updated_at REAL NOT NULL, callback_url TEXT, custom_args TEXT NOT NULL, parts INTEGER NOT NULL,
  detail TEXT NOT NULL, deleted INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS messages_id ON messages (id);
CREATE INDEX IF NOT EXISTS messages_recipient ON messages (recipient, seq);
CREATE INDEX IF NOT EXISTS messages_sender ON messages (sender, seq) WHERE direction = 'inbound';
CREATE TABLE IF NOT EXISTS steps (
  id INTEGER PRIMARY KEY AUTOINCREMENT, message INTEGER NOT NULL, provider TEXT NOT NULL, account TEXT NOT NULL,
  word TEXT NOT NULL, code INTEGER, payload TEXT NOT NULL, url TEXT, due REAL NOT NULL, applies INTEGER NOT NULL,
  told INTEGER NOT NULL, tries INTEGER NOT NULL, state TEXT NOT NULL, answer TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS steps_message ON steps (message);
CREATE INDEX IF NOT EXISTS steps_owed ON steps (due) WHERE state = 'owed';
CREATE TABLE IF NOT EXISTS opt_outs (
  account TEXT, sender TEXT, recipient TEXT, PRIMARY KEY (account, sender, recipient)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kept (room TEXT, key TEXT, value TEXT, PRIMARY KEY (room, key)) WITHOUT ROWID;
"""


def now() -> float:
    """Seconds since 1970, in whole microseconds, so that a time that was shown finds its row again."""
    return round(time.time(), 6)


@dataclass(slots=True)
class Message:
    """One accepted message to one recipient (or, inbound, from one)."""

    provider: str
    id: str
    account: str
    recipient: str
    sender: str
    content: str
    status: str
    accepted_at: float
    direction: str = "outbound"
    subject: str | None = None
    html: str | None = None
    error_code: int | None = None
    sent_at: float | None = None
    updated_at: float = 0.0
    callback_url: str | None = None
    custom_args: dict[str, Any] = field(default_factory=dict)
    parts: int = 1
    detail: dict[str, Any] = field(default_factory=dict)
    deleted: int = 0
    seq: int = 0


@dataclass(slots=True)
class PlannedStep:
    """One thing that will happen to a message: its status changes (`applies`), its sender is told (`told`), or both."""

    message: int
    provider: str
    account: str
    word: str
    due: float
    payload: dict[str, Any]
    code: int | None = None
    url: str | None = None
    applies: int = 1
    told: int = 1
    tries: int = 0
    state: str = "owed"
    answer: str = ""
    id: int = 0


_JSON = ("custom_args", "detail", "payload")
_SET = {"detail": "detail = json_patch(detail, ?)"}


def _insert(table: str, of: type, key: str) -> tuple[str, tuple[str, ...]]:
    names = tuple(column.name for column in fields(of) if column.name != key)
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", names


_INSERT_MESSAGE, _MESSAGE_COLUMNS = _insert("messages", Message, "seq")
_INSERT_STEP, _STEP_COLUMNS = _insert("steps", PlannedStep, "id")


def _values(row: Message | PlannedStep, columns: tuple[str, ...]) -> list[Any]:
    return [json.dumps(getattr(row, name)) if name in _JSON else getattr(row, name) for name in columns]


def _thawed(row: sqlite3.Row) -> dict[str, Any]:
    return {name: json.loads(row[name]) if name in _JSON else row[name] for name in row.keys()}  # noqa: SIM118


class Store:
    """One SQLite connection, used from the event loop's thread only."""

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Guests' messages; SQLite's other files get the permissions of this one.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute("PRAGMA busy_timeout=5000")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        self._db.close()

    def accept(self, accepted: Iterable[tuple[Message, list[PlannedStep]]]) -> None:
        """Store messages and what they owe in one transaction; sets `seq` and `id` on the given objects."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for message, steps in accepted:
                message.updated_at = message.updated_at or message.accepted_at
                message.seq = self._db.execute(_INSERT_MESSAGE, _values(message, _MESSAGE_COLUMNS)).lastrowid or 0
                for step in steps:
                    step.message = message.seq
                    step.id = self._db.execute(_INSERT_STEP, _values(step, _STEP_COLUMNS)).lastrowid or 0
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def plan(self, steps: Iterable[PlannedStep]) -> None:
        """Store what else will happen to messages that are here; sets `id` on the given objects."""
        for step in steps:
            step.id = self._db.execute(_INSERT_STEP, _values(step, _STEP_COLUMNS)).lastrowid or 0

    def change(self, seq: int, **columns: Any) -> None:
        """Set columns of one message; what is given of `detail` is laid over what it says already."""
        values = [json.dumps(value) if name in _JSON else value for name, value in columns.items()]
        self._db.execute(
            f"UPDATE messages SET {', '.join(_SET.get(name, f'{name} = ?') for name in columns)} WHERE seq = ?",
            [*values, seq],
        )

    def settle(self, step: PlannedStep) -> bool:
        """Write down how a step stands; False when its message was cleared meanwhile."""
        done = self._db.execute(
            "UPDATE steps SET state = ?, answer = ?, tries = ?, due = ?, applies = ? WHERE id = ?",
            (step.state, step.answer, step.tries, step.due, step.applies, step.id),
        )
        return done.rowcount == 1

    def cancel_steps(self, steps: Iterable[PlannedStep]) -> None:
        """These will not be taken."""
        for step in steps:
            self._db.execute("UPDATE steps SET state = 'cancelled' WHERE id = ? AND state = 'owed'", (step.id,))

    def owed(self) -> list[PlannedStep]:
        """Every step not yet taken, soonest first."""
        rows = self._db.execute("SELECT * FROM steps WHERE state = 'owed' ORDER BY due, id")
        return [PlannedStep(**_thawed(row)) for row in rows]

    def message(self, provider: str, message_id: str, account: str | None = None) -> Message | None:
        """One message by the provider's id; with an account, only that account's and only if not deleted."""
        sql, values = "SELECT * FROM messages WHERE id = ? AND provider = ?", [message_id, provider]
        if account is not None:
            sql, values = f"{sql} AND account = ? AND NOT deleted", [*values, account]
        row = self._db.execute(sql, values).fetchone()
        return Message(**_thawed(row)) if row else None

    def messages(
        self, where: Iterable[tuple[str, Any]], *, limit: int = -1, offset: int = 0, newest_first: bool = False
    ) -> tuple[list[Message], int]:
        """Messages for which every condition holds, and how many there are without limit and offset.

        Conditions are `(column operator, value)`, e.g. `("seq <", 12)`; one with the value None is left out.
        """
        given = [(condition, value) for condition, value in where if value is not None]
        clause = " AND ".join(f"{condition} ?" for condition, _ in given) or "1"
        values = [value for _, value in given]
        total = self._db.execute(f"SELECT count(*) FROM messages WHERE {clause}", values).fetchone()[0]
        order = "DESC" if newest_first else "ASC"
        rows = self._db.execute(
            f"SELECT * FROM messages WHERE {clause} ORDER BY seq {order} LIMIT ? OFFSET ?", [*values, limit, offset]
        )
        return [Message(**_thawed(row)) for row in rows], total

    def last_of_each(self, newest: int) -> list[Message]:
        """Of the `newest` messages the last one from or to each address, newest first."""
        rows = self._db.execute(
            "SELECT * FROM messages WHERE seq IN (SELECT max(seq) FROM (SELECT seq, CASE direction WHEN 'inbound' "
            "THEN sender ELSE recipient END AS address FROM messages ORDER BY seq DESC LIMIT ?) GROUP BY address) "
            "ORDER BY seq DESC",
            (newest,),
        )
        return [Message(**_thawed(row)) for row in rows]

    def thread(self, addresses: list[str], limit: int) -> list[Message]:
        """The newest messages from or to these addresses, newest first."""
        marks = ", ".join("?" * len(addresses))
        rows = self._db.execute(
            f"SELECT * FROM messages WHERE (direction = 'outbound' AND recipient IN ({marks})) "
            f"OR (direction = 'inbound' AND sender IN ({marks})) ORDER BY seq DESC LIMIT ?",
            [*addresses, *addresses, limit],
        )
        return [Message(**_thawed(row)) for row in rows]

    def steps_of(self, seqs: list[int]) -> dict[int, list[PlannedStep]]:
        """What happened and will happen to these messages."""
        found: dict[int, list[PlannedStep]] = {seq: [] for seq in seqs}
        for start in range(0, len(seqs), 500):
            some = seqs[start : start + 500]
            rows = self._db.execute(
                f"SELECT * FROM steps WHERE message IN ({','.join('?' * len(some))}) ORDER BY due, id", some
            )
            for row in rows:
                found[row["message"]].append(PlannedStep(**_thawed(row)))
        return found

    def clear(self) -> int:
        """Forget messages, their files and what they owe; opt-outs, accounts and settings stay. Returns how many
        messages there were."""
        self._db.execute("DELETE FROM steps")
        self._db.execute("DELETE FROM kept WHERE room = 'files'")
        return self._db.execute("DELETE FROM messages").rowcount

    def opted_out(self, account: str, sender: str, recipient: str) -> bool:
        return bool(
            self._db.execute(
                "SELECT 1 FROM opt_outs WHERE account = ? AND sender = ? AND recipient = ?",
                (account, sender, recipient),
            ).fetchone()
        )

    def set_opt_out(self, account: str, sender: str, recipient: str, out: bool) -> None:
        sql = (
            "INSERT OR IGNORE INTO opt_outs VALUES (?, ?, ?)"
            if out
            else "DELETE FROM opt_outs WHERE account = ? AND sender = ? AND recipient = ?"
        )
        self._db.execute(sql, (account, sender, recipient))

    def opt_outs(self) -> list[dict[str, str]]:
        return [dict(row) for row in self._db.execute("SELECT * FROM opt_outs")]

    def clear_opt_outs(self) -> None:
        self._db.execute("DELETE FROM opt_outs")

    def keep(self, room: str, key: str, value: dict[str, Any]) -> None:
        """Remember an account or settings as JSON."""
        self._db.execute(
            "INSERT INTO kept VALUES (?, ?, ?) ON CONFLICT (room, key) DO UPDATE SET value = excluded.value",
            (room, key, json.dumps(value)),
        )

    def kept_one(self, room: str, key: str) -> dict[str, Any] | None:
        row = self._db.execute("SELECT value FROM kept WHERE room = ? AND key = ?", (room, key)).fetchone()
        found: dict[str, Any] | None = json.loads(row["value"]) if row else None
        return found

    def kept(self, room: str) -> dict[str, dict[str, Any]]:
        return {
            row["key"]: json.loads(row["value"])
            for row in self._db.execute("SELECT key, value FROM kept WHERE room = ?", (room,))
        }
