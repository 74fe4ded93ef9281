"""docker-compose.yml is whole: every service is checked, waits for what it needs, and sets only what exists."""

from __future__ import annotations

import importlib
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from bellhop.dev.callbacks import sandbox_env
from bellhop.providers import PACKAGES
from bellhop.providers.package import ProviderPackage
from bellhop.providers.twilio.overrides import OVERRIDES
from bellhop.sandbox.settings import Process
from bellhop.sandbox.settings import Settings as SandboxSettings
from bellhop.settings import ApiSettings, groups
from tests.sandbox_accounts import SANDBOX_SECRET, SECRET_KEY, sandbox_sendblue, sandbox_sendgrid, sandbox_twilio

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
yaml: Any = importlib.import_module("yaml")  # untyped
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if service["image"] == "bellhop")
JOBS = {"migrate"}


def known_variables() -> set[str]:
    names = {f"SANDBOX_{field.upper()}" for kind in (SandboxSettings, Process) for field in kind.model_fields}
    for tree in groups().values():
        names |= {f"{tree.model_config.get('env_prefix', '')}{field.upper()}" for field in tree.model_fields}
    return names | {"FORWARDED_ALLOW_IPS"}  # uvicorn's own


def test_the_services_a_deployment_needs() -> None:
    needed = {"postgres", "temporal", "temporal-ui", "migrate", "api", "worker-workflows", "worker-activities"}
    assert set(SERVICES) == needed | {"sandbox"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_has_a_health_check_or_is_a_job(name: str) -> None:
    service = SERVICES[name]
    if name in JOBS:
        assert service["restart"] == "on-failure"
        waiting = [other for other in SERVICES.values() if name in other.get("depends_on", {})]
        assert waiting, "nobody waits for the job"
        for other in waiting:
            assert other["depends_on"][name]["condition"] == "service_completed_successfully"
        return
    check = service["healthcheck"]
    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert {"interval", "timeout", "retries", "start_period"} <= set(check)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_dependencies_are_services_with_a_condition(name: str) -> None:
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        assert needed in SERVICES
        assert how["condition"] == ("service_completed_successfully" if needed in JOBS else "service_healthy")


def test_dependencies_have_no_circle() -> None:
    def depth(name: str, path: tuple[str, ...] = ()) -> int:
        assert name not in path, path
        return 1 + max((depth(n, (*path, name)) for n in SERVICES[name].get("depends_on", {})), default=0)

    assert max(depth(name) for name in SERVICES) == 3  # database, then Temporal and migrations, then ours


@pytest.mark.parametrize("name", OURS)
def test_our_services_set_only_variables_that_exist(name: str) -> None:
    assert set(SERVICES[name].get("environment", {})) <= known_variables()


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_a_providers_account_can_be_set(package: ProviderPackage[Any]) -> None:
    assert set(package.settings.needed_variables()) <= set(SERVICES["api"]["environment"])


def test_secrets_have_no_default() -> None:
    for variable in ("BELLHOP_SECRET_KEY", "POSTGRES_PASSWORD"):
        uses = re.findall(rf"\$\{{{variable}([^}}]*)\}}", TEXT)
        assert uses, variable
        assert all(use.startswith(":?") for use in uses), variable


def test_ports_are_open_to_this_machine_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_postgresql_18_and_the_prepared_plugin() -> None:
    assert SERVICES["postgres"]["image"] == "postgres:18"
    assert SERVICES["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]
    assert SERVICES["temporal"]["environment"]["DB"] == "postgres12_pgx"


def test_named_volumes_and_configs_are_declared() -> None:
    for service in SERVICES.values():
        assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= set(COMPOSE["volumes"])
        assert {config["source"] for config in service.get("configs", [])} <= set(COMPOSE["configs"])


def test_every_limit_of_the_api_can_be_set() -> None:
    names = {f"BELLHOP_API_{field.upper()}" for field in ApiSettings.model_fields}
    assert names <= set(SERVICES["api"]["environment"])
    assert SERVICES["api"]["command"][:3] == ["python", "-m", "api"], "the server that knows them"


def test_two_workers_one_of_each_role() -> None:
    for role in ("workflows", "activities"):
        service = SERVICES[f"worker-{role}"]
        assert service["command"] == ["python", "worker.py", "--role", role]
        assert service["healthcheck"]["test"][-1] == role


def test_the_sandbox_calls_back_with_its_own_accounts() -> None:
    command = SERVICES["sandbox"]["command"]
    # Signatures cover the address: the public one where there is one.
    where = SERVICES["api"]["environment"]["BELLHOP_PUBLIC_URL"]
    assert command[:6] == ["python", "-m", "bellhop.dev.callbacks", where, "python", "-m"]
    environment = sandbox_env("http://api:8000", SECRET_KEY)
    assert environment.pop("SANDBOX_SECRET") == SANDBOX_SECRET
    key_id = sandbox_sendgrid.KEY_ID
    twilio = f"http://api:8000/v1/receipts/twilio/{sandbox_twilio.ACCOUNT_SID}"
    named = {
        "SANDBOX_SENDBLUE_INBOUND_URL": f"http://api:8000/v1/receipts/sendblue/{sandbox_sendblue.KEY_ID}/inbound",
        "SANDBOX_SENDGRID_EVENT_URL": f"http://api:8000/v1/receipts/sendgrid/{key_id}/events",
        "SANDBOX_TWILIO_INBOUND_URL": f"{twilio}/inbound#{OVERRIDES}",
        "SANDBOX_TWILIO_INBOUND_FALLBACK_URL": f"{twilio}/fallback#{OVERRIDES}",
        "SANDBOX_APNS_APP_URL": "http://api:8000/v1/push/receipts",
        "SANDBOX_FCM_APP_URL": "http://api:8000/v1/push/receipts",
    }
    assert named.items() <= environment.items()
    others = [environment[name] for name in environment.keys() - named.keys()]
    assert all(url.startswith("http://api:8000/v1/receipts/") for url in others)
    second = sandbox_env("http://api:8000", SECRET_KEY, "https://second.example/bellhop")
    assert second["SANDBOX_TWILIO_INBOUND_URL"] == environment["SANDBOX_TWILIO_INBOUND_URL"]
    assert second["SANDBOX_TWILIO_INBOUND_FALLBACK_URL"].startswith("https://second.example/bellhop/v1/receipts/")
    assert set(environment) <= known_variables()


def test_the_image_has_the_packages_of_the_sandbox() -> None:
    """One image runs every service, so also what only the sandbox imports is installed, and no tool of ours."""
    syncs = re.findall(r"^RUN uv sync (.+)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(syncs) == 2
    assert all("--no-dev" in sync and "--group sandbox" in sync for sync in syncs)


def test_the_image_holds_what_the_wheel_holds() -> None:
    """A directory added to the package must reach the image too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    copied = set(re.findall(r"^COPY (?!--)(.+) \S+$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE))
    words = {word for line in copied for word in line.split()}
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"}
    assert set(included) <= words
    assert words <= let_in
