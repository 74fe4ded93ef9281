"""A language's table of rules each."""
