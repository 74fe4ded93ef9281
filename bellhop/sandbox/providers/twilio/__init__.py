"""Twilio, simulated."""
