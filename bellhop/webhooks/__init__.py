"""Customers' webhooks: the body, the POST and the guard against private addresses."""
