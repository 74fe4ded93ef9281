"""Every provider under test, found by looking: a module each, named as the provider is.

It exports `CASE`, `ENDINGS` (every way in which a call can end), `HANDED` (what it is handed beside plain texts) and,
where the provider's documents say of an ending that it did not take the message, `NOT_TAKEN`.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from tests.contract.conformance import Case
from tests.contract.endings import End, Ending
from tests.contract.handing_over import Handed

_MODULES = {module.name: import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)}

CASES: dict[str, Case] = {name: module.CASE for name, module in _MODULES.items()}
TABLES: dict[str, tuple[End, ...]] = {name: module.ENDINGS for name, module in _MODULES.items()}
NOT_TAKEN: dict[str, frozenset[Ending]] = {
    name: getattr(module, "NOT_TAKEN", frozenset()) for name, module in _MODULES.items()
}
HANDED: dict[str, tuple[Handed, ...]] = {name: module.HANDED for name, module in _MODULES.items()}
