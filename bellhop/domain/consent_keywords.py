"""STOP, START and HELP: the words carriers define, in guests' languages, however they are written. Pure.

Only a whole message counts: "cancel my dinner" is a wish, not an opt-out. Whatever is no letter or digit is wrapping,
and so is a signature below.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

from bellhop.domain.consents import Effect


class Keyword(StrEnum):
    """What a guest's whole message asks for."""

    STOP = "stop"
    START = "start"
    HELP = "help"


STOP_PHRASES: Final = (
    # What carriers and providers obey, whatever the language (47 CFR 64.1200).
    "stop", "stop all", "stopall", "stop sms", "stop texts", "stop messages",
    "unsubscribe", "un subscribe", "cancel", "end", "quit", "revoke", "opt out", "optout",
    # As people say it who do not know the word: any reasonable means will do, there.
    "unsubscribe me", "opt me out", "stop texting me", "stop texting",
    "stop messaging me", "no more texts", "no more messages",
    "no más mensajes", "plus de messages", "keine nachrichten mehr",
    # Other languages have STOP too, and these. Only what means nothing else as a whole message to a hotel.
    "arrêt", "arrête", "arrêter", "arrêtez", "arrêt sms",
    "désabonner", "désabonnement", "désinscrire", "désinscription",
    "baja", "alto", "detener", "parar", "pare", "darse de baja", "dar de baja", "darme de baja", "deme de baja",
    "cancelar suscripción",
    "sair", "descadastrar", "cancelar inscrição", "cancelar subscrição",
    "stopp", "stoppen", "stopp sms", "abmelden", "abmeldung", "abbestellen", "austragen",
    "ferma", "fermare", "disiscrivi", "disiscrivimi", "disiscrizione",
    "afmelden", "uitschrijven", "stoppa", "avregistrera", "afmeld", "frameld", "avmeld", "lopeta",
    "wypisz", "zatrzymaj", "odhlásit", "zrušit odběr", "leiratkozás", "dezabonare",
    "стоп", "отписаться", "отписка", "відписатися", "στοπ", "διακοπή", "dur", "durdur", "ret",
    "הסר", "עצור", "إيقاف", "ايقاف", "توقف", "الغاء الاشتراك", "berhenti", "hentikan", "หยุด", "ยกเลิกการสมัคร",
    "dừng", "dừng lại", "hủy đăng ký", "tigil", "itigil", "ihinto", "रोकें", "रुकें", "बंद करें",
    "停止", "配信停止", "配信解除", "ストップ", "停止接收", "停止发送", "停止發送", "停止短信",
    "拒收", "拒收短信", "退订短信", "退订", "退訂", "取消订阅", "取消訂閱", "td",
    "정지", "중지", "그만", "수신거부", "수신 거부",
)  # fmt: skip
START_PHRASES: Final = (
    "start", "yes", "unstop", "begin", "resume", "subscribe", "opt in", "optin",
    "commencer", "reprendre", "iniciar", "reanudar", "старт", "開始", "再開", "开始", "시작",
)  # fmt: skip
HELP_PHRASES: Final = (
    "help", "info", "aide", "ayuda", "hilfe", "aiuto", "ajuda", "hulp", "hjälp", "hjelp", "hjælp", "apua",
    "pomoc", "помощь", "ヘルプ", "帮助", "幫助", "도움말",
)  # fmt: skip
AMBIGUOUS: Final = frozenset({"cancel", "end", "quit", "revoke", "alto", "baja", "pare", "sair", "ret"})
"""Words of which more may hang on a line below ("Cancel" and under it "- dinner"): a dash starts no signature there."""

LONGEST = 2_000
"""Characters of a message that are looked at: a longer one is no keyword."""

_KEYCAP = re.compile("[0-9#*]\ufe0f?\u20e3")
_BLANK_LETTERS: Final = frozenset("\u115f\u1160\u3164\uffa0\u0640")
"""Letters that show nothing (Hangul's fillers) or only lengthen a word (Arabic's tatweel)."""
_EMOJI_LETTERS: Final = frozenset("\u2139")
_FRAMED: Final = {
    chr(code): plain
    for first, last in ((0x24B6, 0x24E9), (0x1F130, 0x1F149))
    for code in range(first, last + 1)
    if (plain := unicodedata.normalize("NFKC", chr(code))).isalpha() and code != 0x24C2
}
"""Letters in a ring or a box, which are symbols to Unicode; but for the one that is an emoji."""
_SAME: Final = {"ı": "i", "ø": "o", "ł": "l", "đ": "d", "æ": "ae"}
_RULE = re.compile(r"[-‐-―_=*~#]{2,}|[—―]")
"""A line that parts a text from a signature."""
_DASH = re.compile(r"[-‐-―~]\s*\w")


def folded(text: str) -> list[str]:
    """The words of a text, without case, accents, width and whatever else is no letter or digit."""
    words: list[str] = [""]
    for char in _KEYCAP.sub(" ", text):
        char = _FRAMED.get(char, char)
        kind = unicodedata.category(char)
        if char in _BLANK_LETTERS or kind[0] == "M" or kind == "Cf":
            continue
        if kind[0] not in "LN" or char in _EMOJI_LETTERS:
            words.append("")
            continue
        plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", char).casefold())
        letters = (each for each in plain if unicodedata.category(each)[0] in "LN")
        words[-1] += "".join(_SAME.get(each, each) for each in letters)
    return [word for word in words if word]


_SENT_FROM: Final = tuple(
    " ".join(folded(start))
    for start in (
        "sent from", "sent via", "sent with", "get outlook for", "gesendet von", "gesendet mit", "gesendet über",
        "envoyé de mon", "envoyé depuis", "envoyé à partir", "envoyé avec",
        "enviado desde", "enviado de mi", "enviado do meu", "enviado a partir", "inviato da",
        "verzonden vanaf", "verzonden met", "verstuurd vanaf", "verstuurd met", "skickat från", "sendt fra",
        "lähetetty",
        "wysłane z", "wysłano z", "odesláno z", "trimis de pe", "отправлено с", "отправлено из", "надіслано з",
        "στάλθηκε από", "נשלח מ", "أرسلت من", "dikirim dari", "发自我的", "從我的", "来自我的",
    )
)  # fmt: skip
"""How the line begins that mail programs and telephones add below, or behind, a text."""
_SENT_WORDS: Final = max(start.count(" ") for start in _SENT_FROM) + 1
_SENT: Final = tuple(
    ("".join(folded(start)), "".join(folded(end)))
    for start, end in (
        ("von mein", "gesendet"), ("", "から送信"), ("", "에서 보냄"), ("iphone", "gönderildi"),
        ("az iphone", "küldve"),
    )
)  # fmt: skip
"""How it begins and ends where the verb comes last."""


def _spelled(phrases: Iterable[str]) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(folded(phrase)) for phrase in phrases)


_STOP, _START, _AMBIGUOUS = _spelled(STOP_PHRASES), _spelled(START_PHRASES), _spelled(AMBIGUOUS)
_HELP = _spelled(HELP_PHRASES)
EFFECT: Final = {Keyword.STOP: Effect.OPT_OUT, Keyword.START: Effect.OPT_IN}
"""What is written down of an address that says one of them."""


def keyword(text: str) -> Keyword | None:
    """The keyword that a whole message is, else None."""
    if len(text) > LONGEST:
        return None
    phrase = _one(_without_signature(text.splitlines()))
    if phrase in _STOP:
        return Keyword.STOP
    if phrase in _START:
        return Keyword.START
    return Keyword.HELP if phrase in _HELP else None


def _one(words: Sequence[str]) -> tuple[str, ...]:
    """The phrase that words are: as they stand, spelled letter by letter, or one word said over and over."""
    if len(words) > 1 and all(len(word) == 1 and word.isascii() for word in words):
        return ("".join(words),)
    return tuple(words[:1]) if len(set(words)) == 1 else tuple(words)


def _without_signature(lines: Sequence[str]) -> list[str]:
    """The words of a text above its signature."""
    said: list[str] = []
    # Each line once: a guest's text may be of a thousand.
    words_of = [folded(line) for line in lines]
    last = max((place for place, words in enumerate(words_of) if words), default=0)
    for place, (line, words) in enumerate(zip(lines, words_of, strict=True)):
        if said and (_RULE.fullmatch(line.strip()) or (place >= last and _signed(said, line, words))):
            break
        cut = _sent_from(words, whole_line=bool(said))
        said += words[:cut]
        if cut < len(words):
            break
    return said


def _signed(said: Sequence[str], line: str, words: Sequence[str]) -> bool:
    """Whether the last line is a name after a dash, below a word that can only mean one thing."""
    phrase = _one(said)
    plain = phrase in _STOP | _START and phrase not in _AMBIGUOUS
    return plain and _DASH.match(line.strip()) is not None and len(words) <= 3


def _sent_from(words: Sequence[str], *, whole_line: bool) -> int:
    """Where that begins in a line which a mail program adds ("Sent from my iPhone"); the number of words where nothing
    does. Only below a text is it a line of its own."""
    for start in range(0 if whole_line else 1, len(words)):
        if " ".join(words[start : start + _SENT_WORDS]).startswith(_SENT_FROM):
            return start
    joined = "".join(words)
    if whole_line and any(joined.startswith(start) and joined.endswith(end) for start, end in _SENT):
        return 0
    return len(words)
