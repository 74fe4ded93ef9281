"""Guests' inboxes: what lies in them, and the sessions in which guests read it."""
