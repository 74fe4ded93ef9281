"""Settings: what is wrong is named by its environment variable, all of it at once, and no secret is shown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bellhop.providers.twilio.settings import TwilioSettings
from bellhop.settings import Settings, SettingsError, from_env, load

KEY = {"BELLHOP_SECRET_KEY": "k" * 32}


@pytest.fixture(autouse=True)
def _nobodys_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    return


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("POSTGRES_POOL_SIZE", "0"),
        ("POSTGRES_POOL_SIZE", "many"),
        ("TEMPORAL_TLS", "perhaps"),
        ("TWILIO_ACCOUNT_SID", "AC123"),
        ("TWILIO_FROM_NUMBER", "3055551234"),
        ("TWILIO_FROM_NUMBER", "+1 305 555 1234"),
        ("TWILIO_FROM_NUMBER", "+15551234"),
        ("TWILIO_FROM_NUMBER", "12345"),
        ("TWILIO_FROM_NUMBER", "Grand Sunset Resort"),
        ("TWILIO_FROM_NUMBER", "Hotel!"),
        ("TWILIO_FROM_NUMBER", "MG123"),
        ("TWILIO_FROM_NUMBER", "MG" + "0" * 31),
        ("TWILIO_FROM_NUMBER", "AC" + "0" * 32),
        ("SENDGRID_FROM_EMAIL", "Grand Sunset <stay@grand-sunset.example>"),
        ("SENDGRID_FROM_EMAIL", "grand-sunset.example"),
        ("DELIVERY_LEASE", "-1"),
        ("DELIVERY_CALL_TIMEOUT", "61"),
        ("DELIVERY_SETTLE_PAUSES", "1,soon"),
        ("WEBHOOK_RETRY_PAUSES", "5,x"),
        ("WEBHOOK_TIMEOUT", "0"),
        ("BELLHOP_PORT", "70000"),
        ("BELLHOP_CREDENTIALS_KEYS", "k" * 32 + ",too short"),
        ("BELLHOP_LOG_LEVEL", "LOUD"),
        ("BELLHOP_SWEEP_EVERY", "never"),
        ("BELLHOP_PUBLIC_URL", "bellhop.example.com"),
        ("BELLHOP_PUBLIC_URL", "localhost:8000"),
        ("BELLHOP_PUBLIC_URL", "https://"),
        ("BELLHOP_PUBLIC_URL", "https://example.com:port"),
        ("BELLHOP_SANDBOX_URL", "127.0.0.1:8900"),
        ("TWILIO_BASE_URL", "api.twilio.com"),
        ("SENDGRID_BASE_URL", "//api.sendgrid.com"),
        ("TEMPORAL_ADDRESS", "http://localhost:7233"),
        ("TEMPORAL_ADDRESS", "localhost"),
    ],
)
def test_a_wrong_value_names_its_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"\b{variable}: ") as problem:
        from_env({**KEY, variable: value})
    assert str(problem.value).count("\n") == 1, "one line for one mistake"


@pytest.mark.parametrize(
    "sender",
    [
        "+13055551234",
        "+15005550006",
        "+447911123456",
        "MG" + "0aB9" * 8,
        "GrandSunset",
        "Sunset 24",
        "24Sunset",
        "MGM Grand",
    ],
)
def test_what_can_be_a_sender(sender: str) -> None:
    settings = from_env({**KEY, "TWILIO_FROM_NUMBER": sender})
    assert settings.provider(TwilioSettings).from_number == sender


def test_all_that_is_wrong_is_named_at_once_and_no_secret_with_it() -> None:
    env = {"BELLHOP_PORT": "x", "DELIVERY_LEASE": "x", "TWILIO_ACCOUNT_SID": "x", "TWILIO_AUTH_TOKEN": "my-token"}
    with pytest.raises(SettingsError) as problem:
        from_env({**KEY, **env})
    said = str(problem.value)
    assert all(name in said for name in ("BELLHOP_PORT", "DELIVERY_LEASE", "TWILIO_ACCOUNT_SID"))
    assert "my-token" not in said
    assert KEY["BELLHOP_SECRET_KEY"] not in said


@pytest.mark.parametrize("key", [None, "", "too short", "k" * 31])
def test_a_missing_key_says_how_to_make_one(key: str | None) -> None:
    with pytest.raises(SettingsError, match="BELLHOP_SECRET_KEY") as problem:
        from_env({} if key is None else {"BELLHOP_SECRET_KEY": key})
    assert "openssl rand -hex 32" in str(problem.value)
    assert not key or key not in str(problem.value)


def test_defaults_are_enough_beside_the_key() -> None:
    settings = from_env(KEY)
    assert settings.bellhop.sandbox_url is None
    assert settings.provider(TwilioSettings).account_sid is None
    assert settings.delivery.lease > settings.delivery.call_timeout


def test_lists_are_comma_separated() -> None:
    settings = from_env({**KEY, "DELIVERY_SETTLE_PAUSES": "1, 2.5,", "WEBHOOK_ALLOW": "127.0.0.0/8, 10.0.0.0/8"})
    assert settings.delivery.settle_pauses == [1.0, 2.5]
    assert settings.webhook.allow == ["127.0.0.0/8", "10.0.0.0/8"]


def test_an_empty_variable_is_not_set_and_urls_lose_their_last_slash() -> None:
    env = {"POSTGRES_POOL_SIZE": "", "BELLHOP_PUBLIC_URL": "https://example.com/", "BELLHOP_SANDBOX_URL": ""}
    settings = from_env({**KEY, **env})
    assert settings.postgres.pool_size == Settings().postgres.pool_size
    assert settings.bellhop.public_url == "https://example.com"
    assert settings.bellhop.sandbox_url is None


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text(f"BELLHOP_SECRET_KEY={'f' * 32}\nBELLHOP_PORT=9000\nBELLHOP_HOST=0.0.0.0\nJUNK=1\n")
    monkeypatch.setenv("BELLHOP_PORT", "9001")
    monkeypatch.delenv("BELLHOP_HOST", raising=False)
    monkeypatch.delenv("BELLHOP_SECRET_KEY", raising=False)
    settings = load()
    assert (settings.bellhop.port, settings.bellhop.host) == (9001, "0.0.0.0")


def test_no_secret_is_shown() -> None:
    secret = "s3cr3t-s3cr3t-s3cr3t-s3cr3t-s3cr3t"
    env = dict.fromkeys(
        ("BELLHOP_SECRET_KEY", "TWILIO_AUTH_TOKEN", "TWILIO_PREVIOUS_AUTH_TOKEN", "SENDGRID_API_KEY",
         "TEMPORAL_API_KEY", "POSTGRES_DSN", "BELLHOP_CREDENTIALS_KEYS"),
        secret,
    )  # fmt: skip
    settings = from_env(env)
    assert secret not in repr(settings) + str(settings) + settings.model_dump_json()


def test_trying_an_environment_leaves_ours_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELLHOP_PORT", "1234")
    before = dict(os.environ)
    with pytest.raises(SettingsError):
        from_env({"BELLHOP_PORT": "x"})
    assert dict(os.environ) == before


def test_only_the_given_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELLHOP_PORT", "1234")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "ours")
    settings = from_env(KEY)
    assert (settings.bellhop.port, settings.provider(TwilioSettings).auth_token) == (8000, None)


def test_the_file_is_the_one_the_given_environment_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("BELLHOP_PORT=9000\n")
    (tmp_path / "other").write_text("BELLHOP_PORT=9001\nBELLHOP_HOST=0.0.0.0\n")
    monkeypatch.setenv("BELLHOP_ENV_FILE", "")
    assert from_env(KEY).bellhop.port == 9000
    settings = from_env({**KEY, "BELLHOP_ENV_FILE": str(tmp_path / "other"), "bellhop_host": "127.0.0.2"})
    assert (settings.bellhop.port, settings.bellhop.host) == (9001, "127.0.0.2")
    assert from_env({**KEY, "BELLHOP_ENV_FILE": ""}).bellhop.port == 8000


def test_reading_an_environment_writes_nothing_to_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """`os.environ` is the process's: other threads, and children that start meanwhile, must never see another one."""

    def written(*_: object) -> None:
        raise AssertionError("written to os.environ")

    for method in ("__setitem__", "__delitem__", "clear", "update", "pop"):
        monkeypatch.setattr(type(os.environ), method, written)
    try:
        assert from_env({**KEY, "BELLHOP_PORT": "9002"}).bellhop.port == 9002
    finally:
        monkeypatch.undo()
