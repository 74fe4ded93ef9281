"""What every provider's folder exports, found by the list: consistent in itself, and light to import."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from bellhop.domain.delivery_ports import CallbackRequest
from bellhop.providers import PACKAGES, providers
from bellhop.providers.package import CallbackPath, ProviderPackage
from bellhop.sandbox.providers import default_accounts
from tests.sandbox_accounts import SANDBOX_SECRET

each = pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)


def test_each_is_there_once() -> None:
    names = [package.name for package in PACKAGES]
    assert len({*names}) == len(names)
    assert list(providers()) == names
    assert providers() is providers(), "an adapter keeps connections: one set for a process"


@each
def test_the_adapter_goes_by_the_name_of_its_package(package: ProviderPackage[Any]) -> None:
    adapter = package.provider()
    assert adapter.name == package.name == package.settings.model_config["env_prefix"].rstrip("_").lower()
    assert adapter is not package.provider()


@each
def test_an_account_is_whole_or_none(package: ProviderPackage[Any]) -> None:
    needed = package.settings.needed_variables()
    env = default_accounts(SANDBOX_SECRET)[package.name].env
    assert {*needed} <= {*env}
    seed, *more = package.seeds(package.settings.of(env))
    assert {(one.provider, one.identity, one.base_url) for one in more} <= {
        (seed.provider, seed.identity, seed.base_url)
    }
    assert (seed.provider, seed.identity) == (package.name, default_accounts(SANDBOX_SECRET)[package.name].identity)
    assert not [value for value in seed.credentials.values() if value in repr(seed)]
    assert "encrypted" not in seed.credentials, "the word a sealed column is known by"
    for left_out in needed:
        half = package.settings.of({name: value for name, value in env.items() if name != left_out})
        assert half.missing() == [left_out]
        assert not package.seeds(half)


@each
def test_a_group_of_given_variables_is_not_the_environments(
    package: ProviderPackage[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test scope is seeded by it: nothing of a live account may be in there."""
    for variable in package.settings.needed_variables():
        monkeypatch.setenv(variable, "of a live account")
    assert package.settings.of({}).missing() == package.settings.needed_variables()


@each
def test_only_its_callback_paths_are_taken(package: ProviderPackage[Any]) -> None:
    paths = [path.path for path in package.callback_paths]
    assert len({*paths}) == len(paths)
    assert all(path.brings for path in package.callback_paths)
    elsewhere = CallbackRequest("https://bellhop.example/", "elsewhere", {}, {}, b"[]")
    with pytest.raises(ValueError, match=r"\w"):
        package.provider().parse(elsewhere)


def test_one_address_is_entered_at_one_place() -> None:
    by_hand = CallbackPath("a", "news", console="there"), CallbackPath("b", "news", console="there")
    first = PACKAGES[0]
    with pytest.raises(ValueError, match="one address"):
        ProviderPackage("x", "X", first.adapter, first.settings, first.seeds, by_hand)
    beside = CallbackPath("b", "news", console="there", fallback=True)
    other = CallbackPath("c", "news", console="elsewhere")
    package = ProviderPackage("x", "X", first.adapter, first.settings, first.seeds, (beside, by_hand[0], other))
    assert (package.entered, package.entered_beside, package.entered_fallback) == (by_hand[0], [other], beside)


def test_the_list_is_light() -> None:
    """Every command reads the settings, and these the list: the SDKs would make each of them a second slower."""
    program = (
        "import sys; import bellhop.settings, bellhop.logging; top = {name.split('.')[0] for name in sys.modules};"
        "print(*(top & {'twilio', 'sendgrid', 'python_http_client', 'requests', 'urllib3'}))"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == ""
