"""The stack's own programs: how the API, the workers, the sandbox and the receiver are started, and with what settings.

They get everything by environment variables, exactly as in production; nothing here is imported from them but the
sandbox's constants.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from bellhop.dev.free_ports import Ports, both_loopbacks
from bellhop.dev.local_http import answers
from bellhop.dev.paths import DevPaths, project_dir
from bellhop.dev.process import Program
from bellhop.dev.temporal_server import polls
from bellhop.temporal.contract import TASK_QUEUE_PROVIDERS, TASK_QUEUE_WORKFLOWS

_POLLED = {"workflows": (TASK_QUEUE_WORKFLOWS, "workflow"), "activities": (TASK_QUEUE_PROVIDERS, "activity")}


def reachable(host: str) -> str:
    """The address programs of this machine use for something that listens on `host`."""
    if host in {"", "0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def settings_env(
    base: Mapping[str, str],
    *,
    dsn: str,
    temporal_address: str,
    own_temporal: bool,
    secret_key: str,
    ports: Ports,
    host: str,
    spool: Path,
    media: Path,
) -> dict[str, str]:
    """The environment of the stack's programs: the person's own, with what only the stack knows laid over it."""
    url = f"http://{reachable(host)}:{ports.api}"
    if own_temporal:
        # Namespace, key and certificates the person has set are for another server.
        base = {name: value for name, value in base.items() if not name.startswith("TEMPORAL_")}
        base |= {"TEMPORAL_NAMESPACE": "default", "TEMPORAL_TLS": "false"}
    return {
        **base,
        "POSTGRES_DSN": dsn,
        "TEMPORAL_ADDRESS": temporal_address,
        "BELLHOP_SECRET_KEY": secret_key,
        "BELLHOP_HOST": host,
        "BELLHOP_PORT": str(ports.api),
        "BELLHOP_PUBLIC_URL": base.get("BELLHOP_PUBLIC_URL") or url,
        "BELLHOP_SANDBOX_URL": f"http://127.0.0.1:{ports.sandbox}",
        # The receiver and the person's own test servers live on this machine.
        "WEBHOOK_ALLOW": base.get("WEBHOOK_ALLOW") or "127.0.0.0/8,::1/128",
        "SPOOL_DIR": str(spool),
        "MEDIA_DIR": str(media),
        # Everything is here: a .env beside the checkout is for the real installation, or was read into `base`.
        "BELLHOP_ENV_FILE": "",
        "PYTHONUNBUFFERED": "1",
    }


def sandbox(env: Mapping[str, str], paths: DevPaths, ports: Ports, host: str) -> Program:
    # Imported here: everything else of the stack can be started without the sandbox's packages.
    from bellhop.dev.callbacks import sandbox_env

    # This machine's own address, unless the person has put a public one in front: signatures cover the address.
    own = sandbox_env(
        env.get("BELLHOP_PUBLIC_URL") or f"http://{reachable(host)}:{ports.api}",
        env["BELLHOP_SECRET_KEY"],
        env.get("BELLHOP_FALLBACK_URL"),
    )
    env = {name: value for name, value in env.items() if name != "BELLHOP_SECRET_KEY"}
    command = ["-m", "bellhop.sandbox", "--host", "127.0.0.1", "--port", str(ports.sandbox)]
    command += ["--db", str(paths.sandbox_db)]
    url = f"http://127.0.0.1:{ports.sandbox}/_sandbox/health"
    return _python("sandbox", "Sandbox providers", command, {**env, **own}, paths, answers(url))


def receiver(env: Mapping[str, str], paths: DevPaths, ports: Ports) -> Program:
    command = ["-m", "bellhop.dev.receiver", "--port", str(ports.receiver), "--file", str(paths.receiver_file)]
    command += ["--dev-json", str(paths.dev_json)]
    url = f"http://127.0.0.1:{ports.receiver}/healthz"
    return _python("receiver", "Webhook receiver", command, env, paths, answers(url))


def api(env: Mapping[str, str], paths: DevPaths, ports: Ports, host: str) -> Program:
    listens = both_loopbacks(host, ports.api)
    command = ["-m", "api", "--host", listens, "--port", str(ports.api), "--graceful", "2"]
    return _python("api", "API", command, env, paths, answers(f"http://{reachable(host)}:{ports.api}/healthz"))


def worker(role: str, env: Mapping[str, str], paths: DevPaths, temporal_http_port: int) -> Program:
    """Ready when the server sees it poll; with a foreign server (port 0), which may not tell, as soon as it runs."""
    queue, kind = _POLLED[role]

    def ready(pid: int) -> bool:
        return temporal_http_port == 0 or polls(temporal_http_port, queue, kind, pid)

    return _python(f"worker-{role}", f"Worker ({role})", ["-m", "worker", "--role", role], env, paths, ready)


def _python(
    name: str, label: str, command: list[str], env: Mapping[str, str], paths: DevPaths, ready: Callable[[int], bool]
) -> Program:
    return Program(
        name=name,
        label=label,
        command=(sys.executable, *command),
        env=env,
        log=paths.log(name),
        ready=ready,
        cwd=project_dir(),
        start_timeout=60,
    )
