"""Attempts, receipts and provider accounts as rows, and what Temporal still has to be told."""
