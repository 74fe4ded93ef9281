"""The proof in public: a seeded storm of faults over real processes, then independent accounts compared, message by
message. `python -m chaos --help`; what is promised and what is not: docs/reliability.md."""
