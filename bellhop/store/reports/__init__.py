"""Queries behind reports, reconciliation and the doctor: they only read."""
