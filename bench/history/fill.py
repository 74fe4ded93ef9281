"""A made-up history: properties that share their provider accounts, guests, messages of a year with attempts, events,
receipts and webhook deliveries, filled by the server itself.

Indexes and foreign keys of the big tables are taken off first and made again at the end, which halves the time.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from bellhop.domain.credentials import CredentialCipher
from bench.history import statements

Say = Callable[[str], None]

TABLES = ("guests", "contact_points", "consents", "messages", "attempts", "events", "receipts", "deliveries")
"""The big ones, in the order in which they are filled."""
TWILIO = "AC" + "0" * 32
SENDGRID = "history"
"""Accounts that all properties share."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much history. Two deliveries a message; a guest for every six."""

    messages: int = 3_000_000
    properties: int = 1_000
    days: int = 365
    unmatched: int = 200_000
    """Receipts of nobody's message whose payload is still kept."""
    chunk: int = 250_000
    """Messages filled at a time: what a progress line stands for."""

    @property
    def guests(self) -> int:
        return max(self.properties, self.messages // 6)


def fill(dsn: str, secret: str, size: Size, say: Say) -> None:
    """Fill a migrated, empty database. `secret`: the installation's key, by which addresses are hashed."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        for setting in ("synchronous_commit = off", "maintenance_work_mem = '512MB'", "work_mem = '256MB'"):
            connection.execute(f"set {setting}")
        connection.execute("select setseed(0.42)")
        _hashing(connection, secret)
        with _without_indexes(connection, say):
            began = time.monotonic()
            for statement in statements.PROPERTIES:
                connection.execute(statement, _given(statement, size) or None)
            _seal(connection, CredentialCipher(secret))
            for statement in statements.GUESTS:
                connection.execute(statement, _given(statement, size) or None)
            say(f"{size.properties:,} properties, {size.guests:,} guests ({time.monotonic() - began:.0f} s)")
            _messages(connection, size, say)
            connection.execute(statements.UNMATCHED, {"unmatched": size.unmatched, "guests": size.guests})
        say("vacuum and analyze")
        connection.execute("vacuum (analyze)")


def _messages(connection: psycopg.Connection, size: Size, say: Say) -> None:
    began = time.monotonic()
    for first in range(0, size.messages, size.chunk):
        last = min(size.messages, first + size.chunk)
        span = {"first": first, "last": last - 1, "of": size.messages, "days": size.days, "guests": size.guests}
        connection.execute("drop table if exists piece")
        connection.execute(statements.PIECE, span)
        for statement in statements.PARTS:
            connection.execute(statement)
        took = time.monotonic() - began
        say(f"{last:,} of {size.messages:,} messages ({took:.0f} s, {last / max(took, 0.001):,.0f} a second)")


def _seal(connection: psycopg.Connection, cipher: CredentialCipher) -> None:
    """Each row has credentials under a token of its own, though all are the same."""
    ids = connection.execute("select id from provider_accounts").fetchall()
    with connection.cursor() as cursor:
        cursor.executemany(
            "update provider_accounts set credentials = %s where id = %s",
            [(Jsonb(cipher.seal({"auth_token": "history"})), one) for (one,) in ids],
        )


def _given(statement: str, size: Size) -> dict[str, object]:
    """The parameters that a statement names."""
    every = {
        "properties": size.properties,
        "guests": size.guests,
        "days": size.days,
        "twilio": TWILIO,
        "sendgrid": SENDGRID,
    }
    return {name: value for name, value in every.items() if f"%({name})s" in statement}


def _hashing(connection: psycopg.Connection, secret: str) -> None:
    """`pg_temp.hashed('phone', address)`: what an AddressBook of that secret makes of a canonical address."""
    key = hashlib.sha256(b"bellhop address book\0" + secret.encode()).digest().ljust(64, b"\0")
    inner, outer = (sql.Literal(bytes(byte ^ pad for byte in key)) for pad in (0x36, 0x5C))
    connection.execute(
        sql.SQL(
            "create function pg_temp.hashed(kind text, address text) returns bytea language sql immutable as $$"
            " select sha256({}::bytea || sha256({}::bytea || convert_to(kind || ':' || address, 'utf8'))) $$"
        ).format(outer, inner)
    )


@contextmanager
def _without_indexes(connection: psycopg.Connection, say: Say) -> Iterator[None]:
    """Take indexes, unique constraints and foreign keys off the big tables, and make them again."""
    foreign, unique, plain = (
        connection.execute(query, {"tables": list(TABLES)}).fetchall()
        for query in (statements.FOREIGN, statements.UNIQUE, statements.PLAIN)
    )
    for table, name, _ in [*foreign, *unique]:
        connection.execute(
            sql.SQL("alter table {} drop constraint {}").format(sql.Identifier(table), sql.Identifier(name))
        )
    for _, name, _ in plain:
        connection.execute(sql.SQL("drop index {}").format(sql.Identifier(name)))
    yield
    began = time.monotonic()
    for _, name, definition in plain:
        connection.execute(definition)
        say(f"index {name} ({time.monotonic() - began:.0f} s)")
    for table, name, definition in [*unique, *foreign]:
        connection.execute(
            sql.SQL("alter table {} add constraint {} {}").format(
                sql.Identifier(table), sql.Identifier(name), sql.SQL(definition)
            )
        )
        say(f"constraint {name} ({time.monotonic() - began:.0f} s)")
