"""Outbound messages as rows: accepted, read, changed, and how far they are."""
