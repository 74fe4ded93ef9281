"""STOP and START: the whole text counts, however it is written."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.domain.consent_keywords import (
    EFFECT,
    HELP_PHRASES,
    LONGEST,
    START_PHRASES,
    STOP_PHRASES,
    Keyword,
    folded,
    keyword,
)
from bellhop.domain.consents import Effect

OUT, IN = Effect.OPT_OUT, Effect.OPT_IN
SAID = [*((phrase, OUT) for phrase in STOP_PHRASES), *((phrase, IN) for phrase in START_PHRASES)]
said = st.sampled_from(SAID)
FRAMED = re.compile("[\u24b6-\u24e9\U0001f130-\U0001f149]")
wrapping = st.text(st.characters(exclude_categories=["L", "N", "Cs"]), max_size=8).filter(
    lambda text: "\u2139" not in text and not FRAMED.search(text)
)
"""Anything that is no letter and no digit, line ends included."""
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\ufe0f\u2066\U000e0020\u3164"


def consent_keyword(text: str) -> Effect | None:
    found = keyword(text)
    return EFFECT.get(found) if found else None


@pytest.mark.parametrize(("phrase", "effect"), SAID, ids=[phrase for phrase, _ in SAID])
def test_each_phrase_in_each_dress(phrase: str, effect: Effect) -> None:
    for form in ("NFC", "NFD", "NFKD"):
        assert consent_keyword(unicodedata.normalize(form, phrase)) is effect
    for dressed in (phrase.upper(), phrase.title(), phrase.swapcase(), f' "{phrase}!" \r\n', f"*{phrase}*. "):
        assert consent_keyword(dressed) is effect
    wide = "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in phrase)
    assert consent_keyword(wide) is effect
    assert consent_keyword(phrase.replace(" ", "-")) is effect


@pytest.mark.parametrize(
    "text",
    [
        "“STOP”",
        "«stop»",
        "„Stop“",
        "‘stop’",
        "「停止」",
        "(stop)",
        "[STOP]",
        "{stop}",
        "<stop>",
        "STOP!!!",
        "¡Alto!",
        "¿baja?",
        "STOP ALL",
        "stop-all",
        "OPT-OUT",
        "Opt out",
        "opt_out",
        "optout.",
        "🛑 STOP 🛑",
        "STOP 🙏🏽",
        "stop 1️⃣",
        "STOP ™",
        "S\u200bT\u200bO\u200bP",
        "\u2066STOP\u2069",
        "\ufeffstop",
        "STOP\u00a0",
        "\u3164stop\u3164",
        "st\u00adop",
        "ＳＴＯＰ",
        "ⓈⓉⓄⓅ",
        "🅂🅃🄾🄿",
        "STOP Ⓜ️ 🆗",
        "un-subscribe",
        "ARRÊT SMS",
        "𝐒𝐓𝐎𝐏",
        "𝓈𝓉𝑜𝓅",
        "S.T.O.P.",
        "s t o p",
        "S-T-O-P",
        "stop stop STOP",
        "Stop. Stop!",
        "arrêt",
        "ARRET",
        "Arre\u0302t",
        "STOPP",
        "parar",
        "PARAR.",
        "停止",
        "退订",
        "ΣΤΟΠ",
        "стоп",
        "إيقاف",
        "إيقـاف",
        "הסר",
        "수신거부",
        "ストップ",
        "ｽﾄｯﾌﾟ",
        "STOP\n",
        "\n\nSTOP\n\n",
        "STOP\r\nALL",
        "STOP\u2028",
        "--\nSTOP\n--",
        "STOP\n--\nJordan",
        "STOP\n-- \nJordan Mitchell\n+1 305 555 1234",
        "STOP\n\n____\nJ. Mitchell",
        "Stop\n—\nJordan",
        "STOP\n- Jordan",
        "STOP\n–Jordan Mitchell",
        "stop\n~ Jo",
        "STOP\nSent from my iPhone",
        "STOP\n\nSent from my Galaxy S24",
        "STOP Sent from my iPhone",
        "Stop\nGet Outlook for iOS",
        "STOP\nVon meinem iPhone gesendet",
        "STOP\nGesendet mit der GMX App",
        "STOP\nEnvoyé de mon iPhone",
        "STOP\nEnviado desde mi iPhone",
        "STOP\nEnviado do meu iPhone",
        "STOP\nInviato da iPhone",
        "STOP\nVerzonden vanaf mijn iPhone",
        "STOP\nSkickat från min iPhone",
        "STOP\niPhoneから送信",
        "停止\n发自我的iPhone",
        "중지\n나의 iPhone에서 보냄",
        "STOP\nОтправлено с iPhone",
        "STOP\nWysłane z iPhone'a",
        "STOP\niPhone'umdan gönderildi",
        "STOP\n'Sent from my iPhone'\nanything below",
    ],
)
def test_one_word_however_it_is_wrapped(text: str) -> None:
    assert consent_keyword(text) is OUT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "!",
        "🛑",
        "--",
        "\u200b",
        "stop it",
        "please stop",
        "please don't stop",
        "Stop please",
        "don't stop",
        "stop by the desk at 9?",
        "stop by the desk\nat 9?",
        "can you stop by",
        "bus stop",
        "cancel my dinner",
        "Cancel\ndinner",
        "Cancel\n- dinner",
        "Cancel\n- dinner\n- spa",
        "Stop\n- museum\n- beach",
        "yes please",
        "when does it end",
        "the end",
        "st op",
        "nonstop",
        "stopover",
        "STOP 2",
        "2 STOP",
        "stop\nby the desk, sent from my iPhone",
        "Quit smoking room?",
        "Sent from my iPhone",
        "--\nJordan",
        "baja la música",
        "alto, ¿quién vive?",
        "停止营业了吗",
        "não parar",
        "STOP\nDas Geld ist gesendet",
        "end 5",
        "x" * (LONGEST + 1),
        "stop" + "!" * LONGEST,
    ],
)
def test_a_sentence_is_no_keyword(text: str) -> None:
    assert consent_keyword(text) is None


@given(said, wrapping, wrapping)
def test_whatever_is_no_letter_or_digit_is_wrapping(phrase: tuple[str, Effect], before: str, after: str) -> None:
    assert consent_keyword(f"{before}{phrase[0]}{after}") is phrase[1]
    assert consent_keyword(f"{before}\n{phrase[0].upper()}\n{after}") is phrase[1]


@given(said, st.data())
def test_what_is_not_seen_does_not_matter(phrase: tuple[str, Effect], data: st.DataObject) -> None:
    hidden = st.text(st.sampled_from(INVISIBLE), max_size=2)
    assert consent_keyword("".join(char + data.draw(hidden) for char in phrase[0])) is phrase[1]


@given(
    said,
    wrapping,
    st.text(max_size=30),
    st.sampled_from(["--", "-- ", "---", "____", "***", "—", "Sent from my iPhone"]),
)
def test_nothing_below_a_signature_counts(phrase: tuple[str, Effect], after: str, below: str, rule: str) -> None:
    assert consent_keyword(f"{phrase[0]}{after}\n{rule}\n{below}") is phrase[1]


@given(said, st.sampled_from(["please", "not", "room 12", "le", "ja", "9"]), st.booleans())
def test_a_word_more_and_it_is_a_sentence(phrase: tuple[str, Effect], word: str, first: bool) -> None:
    assert consent_keyword(f"{word} {phrase[0]}" if first else f"{phrase[0]}, {word}?") is None


@given(st.text())
def test_no_text_is_too_odd_to_be_asked_about(text: str) -> None:
    assert consent_keyword(text) in (IN, OUT, None)
    assert all(word.isprintable() and not word.isspace() for word in folded(text))


def test_stop_and_start_exclude_each_other_and_no_phrase_is_there_twice() -> None:
    spelled = [tuple(folded(phrase)) for phrase, _ in SAID]
    assert not {tuple(folded(p)) for p in STOP_PHRASES} & {tuple(folded(p)) for p in START_PHRASES}
    assert all(spelled)


CONTRACTS = {
    # Bird's and Twilio's lists, and the words that the FCC names (47 CFR 64.1200).
    Keyword.STOP: "STOP STOPALL END QUIT CANCEL UNSUBSCRIBE REVOKE OPTOUT",
    Keyword.START: "START BEGIN RESUME UNSTOP YES",
    Keyword.HELP: "HELP INFO",
}


@pytest.mark.parametrize(("said", "words"), CONTRACTS.items())
def test_the_lists_of_carriers_and_vendors(said: Keyword, words: str) -> None:
    assert {keyword(word) for word in words.split()} == {said}


@pytest.mark.parametrize("phrase", HELP_PHRASES)
def test_help_is_a_keyword_and_no_consent(phrase: str) -> None:
    for dressed in (phrase, phrase.upper(), f"  {phrase}!\n", f"«{phrase}»"):
        assert keyword(dressed) is Keyword.HELP
        assert consent_keyword(dressed) is None
    assert keyword(f"{phrase} me find my room") is None


def test_no_phrase_means_two_things() -> None:
    lists = [{tuple(folded(one)) for one in phrases} for phrases in (STOP_PHRASES, START_PHRASES, HELP_PHRASES)]
    assert not lists[0] & lists[1] and not lists[0] & lists[2] and not lists[1] & lists[2]
