"""Hosted detectors through their makers' own SDKs, against a local server that speaks their protocols."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bellhop.domain.intents import LONGEST_EVIDENCE, DetectorAway, DetectorName, IntentDetector, IntentType
from bellhop.intents.detectors import detector_of
from bellhop.intents.hosted import answers
from bellhop.intents.settings import IntentSettings

TEXT = "Could we get a late checkout? The shower is cold."
FOUND = [
    {"type": "maintenance", "evidence": "The shower is cold", "confidence": 0.8},
    {"type": "late_check_out", "evidence": " late checkout ", "confidence": 0.97},
]


class Maker:
    """A maker of models: what it was asked, and what it answers."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.said: str = json.dumps({"intents": FOUND})
        self.status = 200
        self.ended = True
        self.pause = 0.0
        self.url = ""

    def answer(self, path: str) -> dict[str, Any]:
        if self.status != 200:
            return {"type": "error", "error": {"type": "overloaded_error", "message": f"no: {TEXT}"}}
        if path == "/v1/messages":
            return {
                "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None,
                "content": [{"type": "text", "text": self.said}], "usage": {"input_tokens": 1, "output_tokens": 1},
                "stop_reason": "end_turn" if self.ended else "refusal",
            }  # fmt: skip
        part = {"type": "output_text", "text": self.said, "annotations": []}
        return {
            "id": "resp_1", "object": "response", "created_at": 1, "model": "m", "parallel_tool_calls": False,
            "tool_choice": "auto", "tools": [], "status": "completed" if self.ended else "incomplete",
            "output": [{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
                        "content": [part]}],
        }  # fmt: skip


@pytest.fixture
def maker() -> Iterator[Maker]:
    made = Maker()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            made.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            time.sleep(made.pause)
            said = json.dumps(made.answer(self.path)).encode()
            self.send_response(made.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(params=[DetectorName.ANTHROPIC, DetectorName.OPENAI])
def detector(request: pytest.FixtureRequest, maker: Maker) -> IntentDetector:
    base = maker.url if request.param is DetectorName.ANTHROPIC else f"{maker.url}/v1"
    settings = IntentSettings(
        detector=request.param,
        api_key="k-secret",  # type: ignore[arg-type]
        model="the-model",
        base_url=base,
        timeout=0.5,
    )
    return detector_of(settings)


async def test_a_closed_list_is_asked_for_and_the_guests_words_come_back(
    detector: IntentDetector, maker: Maker
) -> None:
    detection = await detector.detect(TEXT)
    assert [(one.type, one.evidence, one.confidence) for one in detection.intents] == [
        (IntentType.LATE_CHECK_OUT, "late checkout", 0.97), (IntentType.MAINTENANCE, "The shower is cold", 0.8),
    ]  # fmt: skip
    ((path, headers, body),) = maker.asked
    assert (body["model"], headers["authorization"]) == ("the-model", "Bearer k-secret")
    if path == "/v1/messages":
        assert detection.detector is DetectorName.ANTHROPIC
        schema, text = body["output_config"]["format"]["schema"], body["messages"][0]["content"]
    else:
        assert (detection.detector, path, body["store"]) == (DetectorName.OPENAI, "/v1/responses", False)
        assert body["text"]["format"]["strict"] is True
        schema, text = body["text"]["format"]["schema"], body["input"][0]["content"]
    assert text == TEXT
    assert set(schema["properties"]["intents"]["items"]["properties"]["type"]["enum"]) == set(IntentType)


@pytest.mark.parametrize("wrong", ["status", "slow", "cut off", "no JSON", "no list", "gone"])
async def test_what_does_not_answer_is_away_after_one_call_and_says_nothing_of_the_guest(
    detector: IntentDetector, maker: Maker, wrong: str, caplog: pytest.LogCaptureFixture
) -> None:
    maker.status = 529 if wrong == "status" else 200
    maker.pause = 0.8 if wrong == "slow" else 0.0
    maker.ended = wrong != "cut off"
    maker.said = {"no JSON": "late checkout!", "no list": '{"intents": 3}'}.get(wrong, maker.said)
    if wrong == "gone":
        detector._client.base_url = "http://127.0.0.1:1/"  # type: ignore[attr-defined]
    with pytest.raises(DetectorAway) as away:
        await detector.detect(TEXT)
    assert away.value.__context__ is None or away.value.__suppress_context__
    assert len(maker.asked) == (wrong != "gone"), "it is not asked again"
    assert "late checkout" not in caplog.text


def test_what_rests_on_no_words_of_the_guests_is_left_out() -> None:
    def read(**fields: object) -> list[IntentType]:
        said = {"type": "late_check_out", "evidence": "late checkout", "confidence": 0.9, **fields}
        return [one.type for one in answers.read(json.dumps({"intents": [said, said]}), TEXT)]

    assert read() == [IntentType.LATE_CHECK_OUT]
    for evidence in ("early checkout", "LATE CHECKOUT", "", "  ", None, 7):
        assert read(evidence=evidence) == []
    for kind in ("a ship", None, ["late_check_out"], {}):
        assert read(type=kind) == []
    for confidence in (0.2, 1.5, "0.9", None, float("nan"), True):
        assert read(confidence=confidence) == ([IntentType.LATE_CHECK_OUT] if confidence is True else [])
    long = json.dumps({"intents": [{"type": "dining", "evidence": "x" * 900, "confidence": 1}]})
    assert [one.evidence for one in answers.read(long, "x" * 900)] == ["x" * LONGEST_EVIDENCE]
    for text in ("", "[]", "3", "{}", '{"intents": {}}', "[" * 100_000):
        with pytest.raises(DetectorAway):
            answers.read(text, TEXT)


def test_a_hosted_one_needs_a_key_and_a_model() -> None:
    for given in ({}, {"api_key": "k"}, {"model": "m"}):
        with pytest.raises(ValueError, match="the detector openai needs it"):
            IntentSettings(detector="openai", **given)  # type: ignore[arg-type]
