"""Sendblue, simulated."""
