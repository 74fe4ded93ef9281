"""The API: HTTP only."""

from bellhop import memory  # noqa: F401  first of all: see there
