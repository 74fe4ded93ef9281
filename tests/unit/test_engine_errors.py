"""What the engine does not do has a status and a code in HTTP, each situation its own row."""

from __future__ import annotations

from collections.abc import Iterator

from api.problems import OF_ENGINE, Problem, problem_of
from bellhop.domain.statuses import Status
from bellhop.engine.errors import ChannelUnavailable, EngineError, NotFound, NotPending


def tree(kind: type[EngineError]) -> Iterator[type[EngineError]]:
    for child in kind.__subclasses__():
        yield child
        yield from tree(child)


def test_every_situation_is_in_the_table() -> None:
    assert set(tree(EngineError)) == set(OF_ENGINE)


def test_a_docstring_is_the_message() -> None:
    problem = problem_of(NotFound(), "body")
    assert (problem.status_code, problem.code, problem.detail) == (404, "not_found", "There is no such thing here.")
    assert "already sent" in problem_of(NotPending(Status.SENT), "body").sentence


def test_a_field_is_named_where_the_request_has_it() -> None:
    problem = problem_of(ChannelUnavailable("whatsapp"), "body")
    assert (problem.status_code, problem.code) == (422, "channel_unavailable")
    assert problem.detail[0] == {  # type: ignore[index]
        "loc": ["body", "channel"],
        "msg": "expected a channel that this property has a sender for; it has none for whatsapp",
        "type": "channel_unavailable",
    }
    assert problem.sentence.startswith("channel: expected a channel")


def test_a_problem_has_a_sentence_whatever_its_detail() -> None:
    assert Problem("Too bad.").sentence == "Too bad."
