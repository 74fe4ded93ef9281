"""What guests' apps report of the notifications they got, with the token that came with each."""

from __future__ import annotations

from datetime import UTC, datetime

from bellhop.domain.app_receipts import STAGES
from bellhop.domain.delivery_ports import Account, Receipt
from bellhop.engine.context import Engine
from bellhop.engine.errors import NotFound, WrongSignature
from bellhop.engine.receipts import record
from bellhop.store.delivery import callback_accounts


async def report(engine: Engine, token: str, word: str) -> None:
    """Take an app's word that it has shown a notification (`delivered`) or that it was opened (`read`). Each is
    recorded once, however often and in whichever order they are said. Raises NotFound on another word, WrongSignature
    on a token that is none, or whose time is over."""
    stage = STAGES.get(word)
    if stage is None:
        raise NotFound
    attempt_id = engine.book.receipt_tokens.read(token, datetime.now(UTC))
    if attempt_id is None:
        raise WrongSignature
    row = await engine.database.read(lambda tx: callback_accounts.of_attempt(tx, attempt_id))
    if row is None:
        raise WrongSignature
    # The token says whose it is: what the account signs with is not asked for.
    account = Account(row.id, row.provider, row.identity, row.base_url, {})
    said = Receipt(
        dedupe_key=f"app:{attempt_id}:{word}",
        word=f"app.{word}",
        stage=stage,
        attempt_id=attempt_id,
        provider_id=None,
        payload={},
    )
    await record(engine, [account], [said])
