"""Templates: what they name, what they say, and that nobody's template or parameter makes the process work for long."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellhop.domain.templates import MOST_BYTES, TemplateProblem, check, choose, parameters_of, rendered

HI = "Hi {{ first_name }}, your {{ room.kind | upcase }} is ready.{% if late %} Take your time.{% endif %}"
GIVEN: dict[str, Any] = {"first_name": "Jordan", "room": {"kind": "suite"}, "late": False}


def test_its_parameters_are_what_it_names() -> None:
    named = parameters_of([HI, "{{ subject }} {{ first_name }}"], html=False)
    assert named == ["first_name", "late", "room", "subject"]
    own = "{% assign n = 3 %}{% for one in rooms %}{{ one }}{{ n }}{% endfor %}"
    assert parameters_of([own], html=False) == ["rooms"], "what it makes itself is none"


def test_it_says_them() -> None:
    check(parameters_of([HI], html=False), GIVEN)
    assert rendered(HI, GIVEN, html=False) == "Hi Jordan, your SUITE is ready."
    assert rendered(HI, {**GIVEN, "late": True}, html=False).endswith("Take your time.")


@pytest.mark.parametrize(("given", "parameter"), [
    ({"first_name": "Jordan", "room": {"kind": "suite"}}, "late"),
    ({**GIVEN, "code": "4471"}, "code"),
    ({**GIVEN, "first_name": None}, "first_name"),
    ({**GIVEN, "first_name": " \u200b"}, "first_name"),
    ({**GIVEN, "room": {"kind": ""}}, "room"),
    ({**GIVEN, "room": [None]}, "room"),
])  # fmt: skip
def test_a_hole_is_refused(given: dict[str, Any], parameter: str) -> None:
    with pytest.raises(TemplateProblem, match="expected") as caught:
        check(parameters_of([HI], html=False), given)
    assert caught.value.parameter == parameter


def test_a_part_that_is_missing_is_no_hole_either() -> None:
    with pytest.raises(TemplateProblem, match="undefined"):
        rendered(HI, {**GIVEN, "room": {"floor": 3}}, html=False)


def test_in_html_parameters_are_escaped() -> None:
    assert rendered("<p>{{ name }}</p>", {"name": "<script>"}, html=True) == "<p>&lt;script&gt;</p>"
    assert rendered("{{ name }}", {"name": "<3"}, html=False) == "<3"


def test_a_subject_stays_one_line() -> None:
    made = rendered("For {{ name }}", {"name": "A\r\nBcc: b@example.com"}, html=False, one_line=True)
    assert made == "For A Bcc: b@example.com"


@pytest.mark.parametrize("text", [
    "{{ name", "{% if %}", "{% endif %}", "{{ name | nothing_such }}", "{% include 'x' %}", "{% render 'x' %}",
    "{{ x | replace: 'a', x }}", "{{ x | split: 'a' }}", "{{ x | default: 'guest' }}",
    "{% if a %}" * 50 + "{% endif %}" * 50,
])  # fmt: skip
def test_what_is_no_template_of_ours_is_refused(text: str) -> None:
    with pytest.raises(TemplateProblem, match="expected"):
        parameters_of([text], html=False)


@pytest.mark.parametrize("text", [
    "{% for a in x %}{% for b in x %}{% for c in x %}{{ a }}{% endfor %}{% endfor %}{% endfor %}",
    "{% assign s = 'aaaaaaaaaa' %}{% for a in x %}{% assign s = s | append: s %}{% endfor %}{{ s }}",
    "{% for a in (1..1000000000) %}{{ a }}{% endfor %}",
    "{% for a in x %}" + "{{ y }}" * 1000 + "{% endfor %}",
    "{{ y" + " | times: 99999999" * 900 + " }}",
    "{% assign r = (1..99999999) %}{{ r | join: ',' | size }}",
    "{{ (1..z) | sort | size }}",
    "{% for a in (1..z) reversed %}{{ a }}{% endfor %}",
    "{% for a in (1..z) limit: 2 offset: 3 %}{{ a }}{% endfor %}",
    "{% assign r = (1..z) %}{% if r contains 'a' %}a{% endif %}x",
    "{% assign r = (1..99999999999999999999999999) %}{{ r | size }}x",
    "{% for a in (1..400) %}{{ w" + " | url_encode" * 30 + " | size }}{% endfor %}",
    "{% for a in (1..400) %}{{ x | join: w | size }}{% endfor %}",
])  # fmt: skip
def test_nobody_makes_it_work_for_long(text: str) -> None:
    given = {"x": list(range(800)), "y": 10**40, "z": 99_999_999, "w": "é" * 2000}
    began = time.process_time()
    with pytest.raises(TemplateProblem):
        rendered(text, given, html=False)
    assert time.process_time() - began < 2.0


@pytest.mark.parametrize("text", [
    "{{ x | date: 1 }}", "{{ x | append }}", "{{ x | truncate: x }}", "{% for a in x limit: x %}{{ a }}{% endfor %}",
    "{% if x > 1 %}a{% endif %}", "{{ x.part }}",
])  # fmt: skip
def test_what_does_not_fit_is_refused_and_not_quoted(text: str) -> None:
    refused = []
    for value in ("Jordan 4471", ["Jordan 4471"], {"name": "Jordan 4471"}):
        try:
            rendered(text, {"x": value}, html=False)
        except TemplateProblem as problem:
            refused.append(str(problem))
    assert refused
    assert all(said.startswith("expected") and "4471" not in said for said in refused)


def test_parameters_are_of_bounded_size() -> None:
    with pytest.raises(TemplateProblem, match="bytes"):
        check(["x"], {"x": "a" * MOST_BYTES})


def test_what_it_makes_is_some_text() -> None:
    with pytest.raises(TemplateProblem, match="some text"):
        rendered("{% if late %}Late{% endif %}", {"late": False}, html=False)


@pytest.mark.parametrize(("known", "wanted", "chosen"), [
    (["en", "fr"], ["fr"], "fr"),
    (["en", "pt-BR"], ["pt-PT"], "pt-BR"),
    (["pt", "pt-BR"], ["pt-PT"], "pt"),
    (["en", "fr"], ["ja", "en-GB"], "en"),
    (["en", "fr"], [None, "fr"], "fr"),
    (["en", "fr"], [None, None], None),
    (["en"], [None, None], "en"),
    (["en"], ["ja"], None),
])  # fmt: skip
def test_which_locale_is_used(known: list[str], wanted: list[str | None], chosen: str | None) -> None:
    assert choose(known, wanted) == chosen


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="{}%|'\": abx.()[]0123456789\n-", max_size=60), st.dictionaries(st.sampled_from("abx"), VALUES))
def test_junk_is_refused_in_words(text: str, given: dict[str, Any]) -> None:
    try:
        names = parameters_of([text], html=False)
        check(names, given)
        made = rendered(text, given, html=False)
    except TemplateProblem as problem:
        made = str(problem)
    assert made
