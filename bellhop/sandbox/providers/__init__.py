"""The simulators, found by looking: one folder for each provider, named as the provider is.

A folder has `accounts.py` with `default`, which needs none of the sandbox's own packages, and `simulator.py` with
`SIMULATOR`, a subclass of `Simulator`.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

from bellhop.sandbox.accounts import DefaultAccount

if TYPE_CHECKING:
    from bellhop.sandbox.simulator import Simulator


@cache
def names() -> tuple[str, ...]:
    """The providers there is a simulator of, in the order of the alphabet."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg))


@cache
def default_accounts(secret: str) -> dict[str, DefaultAccount]:
    """The account that every sandbox with this secret has, by provider."""
    return {name: import_module(f"{__name__}.{name}.accounts").default(secret) for name in names()}


@cache
def simulators() -> dict[str, type[Simulator]]:
    """The simulators, by provider."""
    return {name: import_module(f"{__name__}.{name}.simulator").SIMULATOR for name in names()}


def _known(name: str) -> str:
    if name not in names():
        raise ValueError(f"no such provider; there are {', '.join(names())}")
    return name


ProviderName = Annotated[str, AfterValidator(_known)]
"""One of `names()`, in the models and parameters of the sandbox's own endpoints."""
