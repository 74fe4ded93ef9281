"""What holds for every simulator, found by looking: names, settings, what outsiders may import, unknown providers."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import httpx2
import pytest

from bellhop.providers import PACKAGES
from bellhop.sandbox.providers import default_accounts, names, simulators
from bellhop.sandbox.settings import Settings
from bellhop.sandbox.testing import running

HTTP = httpx2.Client()  # one for all: making one reads every certificate there is


def test_one_is_written_to_where_nothing_says_to_whom() -> None:
    (one,) = [simulator for simulator in simulators().values() if simulator.reached_by_default]
    assert one.inbound_request is not None


def test_each_stands_in_for_a_provider() -> None:
    assert set(names()) <= {package.name for package in PACKAGES}


@pytest.mark.parametrize("name", names())
def test_a_folder_exports_its_simulator(name: str) -> None:
    simulator = simulators()[name]
    assert simulator.name == name
    fields = simulator.settings_group.model_fields
    assert all(field.startswith(f"{name}_") for field in fields)
    assert {setting for setting, _ in simulator.moments.values()} <= fields.keys() <= Settings.model_fields.keys()
    assert {simulator.sent_word} <= simulator.moments.keys()
    without = {"received", "RECEIVED", "canceled", simulator.read_word}
    assert simulator.tones.keys() <= simulator.moments.keys() | without
    assert {"good", "best", "bad", "odd"} >= set(simulator.tones.values())


@pytest.mark.parametrize("name", names())
def test_a_default_account_says_where_its_callbacks_go(name: str) -> None:
    account = default_accounts("a secret")[name]
    settings = {f"SANDBOX_{field.upper()}" for field in simulators()[name].settings_group.model_fields}
    assert account.callbacks.keys() <= settings
    assert all(variable.startswith(f"{name.upper()}_") for variable in account.env)


def test_default_accounts_need_none_of_the_sandboxs_own_packages() -> None:
    """Bellhop seeds its test accounts with them, where neither web server nor templates of a sandbox are installed."""
    program = (
        "import sys; from bellhop.sandbox.providers import default_accounts; default_accounts('a secret');"
        "print(*({'aiohttp', 'fastapi', 'jinja2', 'yarl', 'uvicorn'} & sys.modules.keys()))"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == ""


CALLS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("POST", "/_sandbox/accounts", {}),
    ("POST", "/_sandbox/faults", {"kind": "slow"}),
    ("POST", "/_sandbox/inbound", {"from": "+13055551234", "body": "Hi"}),
    ("POST", "/_sandbox/callbacks", {"kind": "again"}),
    ("GET", "/_sandbox/messages?provider=nobody", {}),
)


def test_an_unknown_provider_is_refused_with_the_known_ones() -> None:
    with running() as url:
        for method, path, body in CALLS:
            answer = HTTP.request(method, url + path, json={"provider": "nobody", **body} if method == "POST" else None)
            assert answer.status_code == 422, path
            assert ", ".join(names()) in answer.json()["detail"][0]["msg"], path


def test_what_a_provider_does_not_take_is_refused_as_the_rest_is() -> None:
    with running() as url:
        wrong = HTTP.post(f"{url}/_sandbox/accounts", json={"provider": "twilio", "account_sid": "7", "colour": "red"})
        assert wrong.status_code == 422
        assert {tuple(row["loc"]) for row in wrong.json()["detail"]} == {("body", "account_sid"), ("body", "colour")}
        for asked in ({"provider": "fcm"}, {"to": "+13055550000"}):
            answer = HTTP.post(f"{url}/_sandbox/inbound", json={"from": "+13055551234", "body": "Hi", **asked})
            assert answer.status_code == 422
        assert "inbound" in HTTP.get(f"{url}/openapi.json").text
