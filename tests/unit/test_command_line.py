"""The command line: times as people write them, and what is wrong in one line that names the option."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import httpx2
import pytest
import typer
from typer.testing import CliRunner

from api.__main__ import main as serve
from bellhop.cli.main import app
from bellhop.cli.options import moment

NOWHERE = {"POSTGRES_DSN": "postgresql://nobody@127.0.0.1:9/bellhop", "BELLHOP_SECRET_KEY": "k" * 64}
HERE = {"BELLHOP_API_URL": "http://127.0.0.1:9", "BELLHOP_API_KEY": "sk_test_x", "BELLHOP_ENV_FILE": ""}


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("2027-03-15", 0), ("2027-03-15T08:30:00", 8.5), ("2027-03-15 08:30", 8.5), ("2027-03-15t08:30:00z", 8.5),
        ("2027-03-15T08:30:00-05:00", 13.5), ("2027-03-15T08:30:00.000+0530", 3), ("2027-03-15T08:30-05:00", 13.5),
        (" 2027-03-15T08:30:00Z ", 8.5),
    ],
)  # fmt: skip
def test_a_time_is_meant_where_it_is_written(text: str, hours: float) -> None:
    read = moment(text)
    assert read.utcoffset() == datetime.now(UTC).utcoffset()
    assert (read - datetime(2027, 3, 15, tzinfo=UTC)).total_seconds() == hours * 3600


@pytest.mark.parametrize(
    "text",
    ["", "now", "15.03.2027", "2027-02-30", "2027-03-15T25:00", "2027-03-15T08:30:00-25:00", "2027-03-15-05:00",
     "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "20270315", "2027-W11-1", "２０２７-03-15"],
)  # fmt: skip
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no time"):
        moment(text)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("2027-03-15T08:30:00-05:00", "2027-03-15T13:30:00.000000Z"),
        ("2027-03-15T08:30:00", "2027-03-15T08:30:00.000000Z"),
        ("0999-03-15", "0999-03-15T00:00:00.000000Z"),
    ],
)
def test_a_message_goes_out_when_it_was_said(given: str, sent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    posted: list[dict[str, Any]] = []

    def request(method: str, url: str, json: dict[str, Any], **_: Any) -> httpx2.Response:
        posted.append(json)
        return httpx2.Response(201, json={})

    monkeypatch.setattr("httpx2.request", request)
    command = ["send", "email", "a@example.com", "x", "--subject", "x", "--at", given, "--content-type", "text/plain"]
    result = CliRunner().invoke(app, command, env=HERE)
    assert result.exit_code == 0, result.output
    assert posted[0]["scheduled_at"] == sent
    assert posted[0]["content_type"] == "text/plain"


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (["send", "sms", "+13055551234", "x", "--at", "tomorrow"], "--at"),
        (["send", "sms", "+13055551234", "x", "--content-type", "markdown"], "--content-type"),
        (["send", "sms", "+13055551234", "x", "--api-url", "bellhop.example.com"], "--api-url"),
        (["send", "sms", "+13055551234", "x", "--api-url", "localhost:8000"], "--api-url"),
        (["send", "sms", "+13055551234", "x", "--api-key", "clé"], "--api-key"),
        (["timeline", "omsg_x", "--api-url", "https://"], "--api-url"),
        (["timeline", "omsg_x", "--api-url", "http://two words"], "--api-url"),
        (["timeline", "omsg_x", "--api-url", "http://a..b"], "--api-url"),
        (["timeline", "omsg_x", "--api-url", "http://x/?key=1"], "--api-url"),
        (["timeline", "om\nsg"], "did not answer"),
        (["send", "sms", "+13055551234", "\udcff"], "UTF-8, not '\\udcff'"),
        (["ledger", "--from", "2027-13-01"], "--from"),
        (["ledger", "--to", "yesterday"], "--to"),
        (["ledger", "--environment", "prod"], "--environment"),
        (["reconcile", "x", "--from", "x"], "--from"),
        (["reconcile", "x", "--environment", "x"], "--environment"),
        (["properties", "create", "X", "--timezone", "Mars/Base"], "--timezone"),
        (["properties", "create", "X", "--timezone", "localtime"], "--timezone"),
        (["properties", "create", "X", "--slug", "Not a slug"], "--slug"),
        (["properties", "create", " "], "NAME"),
        (["properties", "choose", "x", "--when-unknown", "sms=fail", "--environment", "x"], "--environment"),
        (["keys", "create", "x", "--rate-limit", "-5"], "--rate-limit"),
        (["keys", "create", "x", "--rate-limit", "0"], "--rate-limit"),
        (["keys", "create", "x", "--rate-limit", "many"], "--rate-limit"),
        (["keys", "create", "x", "--rate-limit", "9999999999"], "--rate-limit"),
        (["keys", "create", "x", "--name", "\u200b"], "--name"),
        (["keys", "create", "x", "--environment", "x"], "--environment"),
        (["keys", "create", "x", "--scopes", " , "], "--scopes"),
        (["keys", "create", "x", "--scopes", "everything"], "--scopes"),
        (["keys", "create", "x", "--expires", "soon"], "--expires"),
        (["properties", "pause", "x", "--reason", "\u200b"], "--reason"),
        (["accounts", "hold", "x", "--reason", " "], "--reason"),
        (["properties", "choose", "x", "--when-unknown", "sms"], "--when-unknown"),
        (["accounts", "set", "x", "--environment", "x"], "--environment"),
        (["dev", "--port", "99999"], "--port"),
        (["dev", "--temporal-port", "-1"], "--temporal-port"),
        (["dev", "--ui-port", "x"], "--ui-port"),
        (["dev", "--sandbox-port", "65536"], "--sandbox-port"),
        (["dev", "--receiver-port", "65536"], "--receiver-port"),
        (["dev", "--nonsense"], "--nonsense"),
        (["nonsense"], "nonsense"),
        (["send"], "channel"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_wrong_is_one_line_that_names_it(command: list[str], option: str) -> None:
    result = CliRunner().invoke(app, command, env=HERE | NOWHERE)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("bellhop: ")
    assert result.stderr.count("\n") == 1
    assert option in result.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("POSTGRES_DSN", "postgresql://[::1/bellhop"),
        ("POSTGRES_DSN", "nonsense"),
        ("TEMPORAL_ADDRESS", "http://temporal:7233"),
        ("BELLHOP_PUBLIC_URL", "bellhop.example.com"),
        ("TWILIO_FROM_NUMBER", "123"),
    ],
)
def test_a_setting_that_is_wrong_is_named(variable: str, value: str) -> None:
    command = ["accounts", "list"] if variable == "POSTGRES_DSN" else ["recover"]
    result = CliRunner().invoke(app, command, env=HERE | NOWHERE | {variable: value})
    assert (result.exit_code, result.stdout) == (2, "")
    assert variable in result.stderr
    assert "Value error" not in result.stderr
    assert "can't be reached" not in result.stderr, "one thing is said, and the right one"


def problem(field: str) -> dict[str, Any]:
    return {"detail": [{"loc": ["body", field], "msg": "wrong"}]}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx2.Response(200, text="<html>another program</html>"), "--api-url"),
        (httpx2.Response(200, json=[]), "--api-url"),
        (httpx2.Response(404, text="<html>\n<p>nothing</p>\n</html>"), "404: <html> <p>nothing</p> </html>"),
        (
            httpx2.Response(422, json=problem("scheduled_at")),
            "422: --at: wrong",
        ),
        (httpx2.Response(422, json=problem("recipient")), "RECIPIENT: wrong"),
        (httpx2.Response(422, json={"detail": ["odd"]}), "422: "),
    ],
)
def test_what_the_api_says_is_one_line(answer: httpx2.Response, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("httpx2.request", lambda *_, **__: answer)
    result = CliRunner().invoke(app, ["send", "sms", "+13055551234", "x", "--at", "2027-01-01"], env=HERE)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1), result.output
    assert words in result.stderr


def test_it_says_which_version_it_is() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"bellhop {version('bellhop')}\n")


def test_without_a_command_it_shows_its_help() -> None:
    result = CliRunner().invoke(app, ["keys"])
    assert result.exit_code == 2
    assert "create" in result.output


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--port", "99999"), ("--port", "-1"), ("--port", "x"), ("--workers", "0"), ("--graceful", "-1"),
        ("--root-path", "bellhop"), ("--root-path", "/x?y"), ("--nonsense", "1"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_apis_own_options_is_one_line(
    option: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, here in {**NOWHERE, "BELLHOP_ENV_FILE": ""}.items():
        monkeypatch.setenv(name, here)
    monkeypatch.setattr(sys, "argv", ["api", f"{option}={value}"])
    with pytest.raises(SystemExit) as ended:
        serve()
    said = capsys.readouterr().err
    assert (ended.value.code, said.count("\n")) == (2, 1), said
    assert option in said
