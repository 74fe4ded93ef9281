"""Guests, their consents and their erasure, as rows."""
