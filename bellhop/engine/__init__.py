"""Use cases: (scope, command) → result. Each owns its transaction, its idempotency and what Temporal is told."""
