"""Modules that a command needs and its help does not.

The engine and all that is below it take two seconds to import. A command's module has them by name for the type
checker, and otherwise gets here what imports them when the command first uses one:

    if TYPE_CHECKING:
        from bellhop.ops import senders
    else:
        senders = later("bellhop.ops.senders")
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class _Later:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)


def later(name: str) -> Any:
    """What stands for the module of this full name, and imports it when something of it is first asked for."""
    return _Later(name)
