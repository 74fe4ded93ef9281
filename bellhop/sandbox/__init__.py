"""A stand-in for the providers that speaks their real HTTP protocols. It imports nothing else of Bellhop.

Run it with `python -m bellhop.sandbox`; docs/sandbox.md says what it can do.
"""
