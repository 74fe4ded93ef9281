"""What use cases work with: one value per process, built at its composition root."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from bellhop.domain.addresses import AddressBook
from bellhop.domain.credentials import CredentialCipher
from bellhop.domain.delivery_ports import Provider
from bellhop.engine.callback_spool import CallbackSpool
from bellhop.engine.remembered_accounts import RememberedAccounts
from bellhop.media.library import Library
from bellhop.store.database import Database
from bellhop.store.settings import DeliverySettings
from bellhop.temporal.dispatcher import TemporalDispatcher
from bellhop.webhooks.settings import WebhookSettings


@dataclass(frozen=True, slots=True)
class Engine:
    """The things every use case takes beside a scope and its command."""

    database: Database
    dispatcher: TemporalDispatcher
    book: AddressBook
    cipher: CredentialCipher
    providers: Mapping[str, Provider]
    delivery: DeliverySettings
    webhook: WebhookSettings
    public_url: str
    """Where the API is: short links begin there, unless their property has a domain of its own."""
    spool: CallbackSpool | None = None
    """Where callbacks are kept while the database is away; None: they are answered 503."""
    library: Library | None = None
    """The files that messages carry; None: this process has none."""
    accounts: RememberedAccounts = field(default_factory=RememberedAccounts)
    """Those that callbacks come for."""
    receipts_stored: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when receipts were stored that are yet to be applied."""
