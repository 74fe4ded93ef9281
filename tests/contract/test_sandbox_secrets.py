"""A sandbox's credentials are its installation's own, and it answers only to names that are its own."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from bellhop.dev.callbacks import sandbox_env
from bellhop.sandbox.accounts import secret_of
from bellhop.sandbox.host_check import HostCheck
from bellhop.sandbox.providers import default_accounts, names
from bellhop.sandbox.settings import NoSecret, secret
from bellhop.sandbox.testing import running

KEY, OTHER_KEY = "k" * 64, "o" * 64
NOTHING = dict.fromkeys(("SANDBOX_SECRET", "BELLHOP_SECRET_KEY", "BELLHOP_ENV_FILE"), "")


@pytest.mark.parametrize("name", names())
def test_credentials_are_of_one_installation(name: str) -> None:
    ours, others = default_accounts(secret_of(KEY))[name], default_accounts(secret_of(OTHER_KEY))[name]
    assert ours == default_accounts.__wrapped__(secret_of(KEY))[name]
    assert ours.identity != others.identity
    assert [
        key
        for key, value in ours.env.items()
        if not {"FROM", "DOMAIN"} & set(key.split("_")) and value == others.env[key]
    ] == []
    assert KEY not in repr(ours)


def test_where_the_secret_comes_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable, value in NOTHING.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoSecret, match="openssl rand -hex 32"):
        secret()
    (tmp_path / ".bellhop").mkdir()
    (tmp_path / ".bellhop" / "secret_key").write_text(f"{KEY}\n")
    assert secret() == secret_of(KEY), "that of `bellhop dev` here"
    monkeypatch.delenv("BELLHOP_ENV_FILE")
    (tmp_path / ".env").write_text(f"BELLHOP_SECRET_KEY={OTHER_KEY}\nPOSTGRES_DSN=x\n")
    monkeypatch.delenv("BELLHOP_SECRET_KEY")
    assert secret() == secret_of(OTHER_KEY), "that of the installation here"
    monkeypatch.setenv("SANDBOX_SECRET", "s" * 32)
    assert secret() == "s" * 32
    monkeypatch.setenv("SANDBOX_SECRET", "short")
    with pytest.raises(NoSecret, match="shorter"):
        secret()


def test_both_sides_agree_without_a_call(tmp_path: Path) -> None:
    """The wrapper that compose starts the sandbox with gives it its secret instead of the installation's key."""
    env = {**os.environ, **NOTHING, "BELLHOP_SECRET_KEY": KEY}
    command = [sys.executable, "-m", "bellhop.dev.callbacks", "http://api:8000", sys.executable, "-c"]
    command.append("import os; print(os.environ['SANDBOX_SECRET'], 'BELLHOP_SECRET_KEY' in os.environ)")
    assert subprocess.check_output(command, env=env, text=True).split() == [secret_of(KEY), "False"]
    shown = [sys.executable, "-m", "bellhop.sandbox", "--accounts"]
    for given in {"BELLHOP_SECRET_KEY": KEY}, sandbox_env("http://api:8000", KEY):
        said = subprocess.check_output(shown, env={**env, "BELLHOP_SECRET_KEY": "", **given}, text=True, cwd=tmp_path)
        for account in default_accounts(secret_of(KEY)).values():
            assert account.env.items() <= dict(line.split("=", 1) for line in said.splitlines()).items()
    nobody = subprocess.run(shown, env={**env, **NOTHING}, capture_output=True, text=True, cwd=tmp_path)
    assert (nobody.returncode, nobody.stdout, nobody.stderr.count("\n")) == (2, "", 1)


def test_only_requests_for_our_own_names_are_served() -> None:
    """A page somebody visits could have its own name lead here."""
    with running() as url:
        port = urlsplit(url).port
        for host in (
            f"127.0.0.1:{port}",
            "localhost",
            f"LOCALHOST.:{port}",
            "sub.localhost",
            f"[::1]:{port}",
            "10.0.0.7",
        ):
            assert httpx2.get(f"{url}/_sandbox/health", headers={"Host": host}).status_code == 200, host
        for host in f"attacker.example:{port}", "localhost.attacker.example", "127.0.0.1.nip.io", "sandbox", "", "::x":
            for path in "/", "/_sandbox/messages", "/v3/mail/send":
                refused = httpx2.get(url + path, headers={"Host": host})
                assert (refused.status_code, "SANDBOX_ALLOWED_HOSTS" in refused.text) == (421, True), host


async def test_names_can_be_allowed() -> None:
    served = []

    async def app(scope: dict[str, object], receive: object, send: object) -> None:
        served.append(scope)

    async def sent(message: object) -> None:
        pass

    check = HostCheck(app, ["Sandbox", "0.0.0.0"], "X")
    for host in b"sandbox:8900", b"sandbox", b"other":
        await check({"type": "http", "headers": [(b"host", host)]}, sent, sent)
    assert len(served) == 2


def test_what_a_sandbox_keeps_is_its_owners(tmp_path: Path) -> None:
    with running(tmp_path / "sandbox.db"):
        kept = list(tmp_path.iterdir())
        assert {path.name for path in kept} >= {"sandbox.db", "sandbox.db-wal"}
        assert {oct(stat.S_IMODE(path.stat().st_mode)) for path in kept} == {"0o600"}
