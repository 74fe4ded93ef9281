"""The shapes of requests and answers: what is checked, and what the documentation shows."""
