"""Properties, API keys, rate limits, idempotency keys and the installation, as rows."""
