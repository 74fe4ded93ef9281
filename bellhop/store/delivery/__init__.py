"""Attempts, receipts and provider accounts as rows, and pending notifications of Temporal."""
