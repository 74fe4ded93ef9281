"""Temporal: the client, the dispatcher that notifies it, recovery, and the names on its wire."""
