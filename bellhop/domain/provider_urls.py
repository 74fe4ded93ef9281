"""Where things are: the public base of callbacks, and the sandbox that `test` scopes are confined to (I5)."""

from __future__ import annotations

from dataclasses import dataclass

from bellhop.domain import unsubscribe

SANDBOX_ENVIRONMENT = "test"


def receipts_url(public_url: str, provider: str, identity: str, path: str, options: str = "") -> str:
    """The address at which an account's callbacks of one kind are taken. `options`: what the provider is to read in its
    fragment."""
    return f"{public_url.rstrip('/')}/v1/receipts/{provider}/{identity}/{path}" + (f"#{options}" if options else "")


@dataclass(frozen=True, slots=True)
class Routes:
    """`public_url`: what providers call. `sandbox_url`: the only place a test scope's calls go to."""

    public_url: str
    sandbox_url: str | None

    def base_url(self, environment: str, of_account: str) -> str | None:
        """Where an account's API is for a scope of this environment; None: nowhere. Whatever an account row says, a
        test scope reaches the sandbox and nothing else."""
        return self.sandbox_url if environment == SANDBOX_ENVIRONMENT else of_account

    def unsubscribe(self, token: str) -> str:
        """Where a guest, or their mail program for them, says that they want no more marketing."""
        return f"{self.public_url.rstrip('/')}{unsubscribe.PATH}{token}"

    def callback(self, provider: str, identity: str, attempt: object) -> str:
        """The address a provider is told to call about one attempt."""
        return f"{receipts_url(self.public_url, provider, identity, 'status')}?attempt={attempt}"
