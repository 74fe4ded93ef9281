"""docker-compose.scale.yml changes what it names and fits what it is laid over."""

from __future__ import annotations

import re
from typing import Any

from bellhop.settings import groups
from tests.unit.test_compose import COMPOSE, ROOT, SERVICES, yaml

RESET = object()


class Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Knows Compose's own tag."""


Loader.add_constructor("!reset", lambda _loader, _node: RESET)
SCALE: dict[str, Any] = yaml.load((ROOT / "docker-compose.scale.yml").read_text(encoding="utf-8"), Loader)
CHANGED: dict[str, dict[str, Any]] = SCALE["services"]


def test_it_adds_a_balancer_and_changes_what_is_there() -> None:
    assert set(CHANGED) - set(SERVICES) == {"balancer"}
    assert set(SCALE["configs"]) & set(COMPOSE["configs"]) == set()
    assert CHANGED["balancer"]["configs"][0]["source"] in SCALE["configs"]
    assert {"interval", "timeout", "retries", "start_period"} <= set(CHANGED["balancer"]["healthcheck"])


def test_one_service_has_the_port_of_the_api() -> None:
    assert SERVICES["api"]["ports"] == CHANGED["balancer"]["ports"]
    assert CHANGED["api"]["ports"] is RESET


def test_all_processes_find_connections_to_the_database() -> None:
    pool = groups()["postgres"].model_fields["pool_size"].default
    processes = sum(CHANGED[name]["deploy"]["replicas"] for name in ("api", "worker-workflows", "worker-activities"))
    (most,) = re.findall(r"max_connections=(\d+)", " ".join(CHANGED["postgres"]["command"]))
    # Pools, and beside them the API's for callbacks and live streams; Temporal's four services keep up to 20 each.
    assert 2 * processes * pool + 80 < int(most)


def test_the_balancer_asks_an_address_that_exists_and_waits_longer_than_the_api() -> None:
    said = SCALE["configs"]["balancer"]["content"]
    assert SERVICES["api"]["healthcheck"]["test"][-1].count("/healthz") == 1 and "uri /healthz" in said
    api = groups()["api"].model_fields
    for direction in ("client", "server"):
        (seconds,) = re.findall(rf"timeout {direction} (\d+)s", said)
        assert int(seconds) > api["answer_timeout"].default
        assert int(seconds) > 2 * api["stream_heartbeat"].default
