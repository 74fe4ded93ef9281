"""Use cases: (engine, scope, command) → result. Each owns its transaction, its idempotency and what it notifies."""
