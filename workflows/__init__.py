"""The workflows: a message, an endpoint, a release, a sweep. Deterministic: no I/O, no SQL, no HTTP, no settings."""
