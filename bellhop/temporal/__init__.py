"""Temporal: the client, what it is told, recovery, and the names on its wire."""
