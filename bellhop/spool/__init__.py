"""Callbacks on disk while the database is away: verified, encrypted, flushed before they are answered."""
