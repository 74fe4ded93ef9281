"""What is new in a mail, apart from what it quotes: line by line, and each looked at a bounded number of times. Pure.

Mail programs quote in three ways: with a mark before each line; below a line that says who wrote when; below the head
of the mail that is answered. Each is known by its words in the languages guests write in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from bellhop.domain import plain_text

LONGEST: Final = 200_000
"""Characters of a mail that are looked at."""
_ATTRIBUTION_LINES = 4
_ATTRIBUTION = 400
"""Characters of the line that says who wrote when; programs break it."""
_HEAD_LINES = 8

_MARKS = (">", "\N{FULLWIDTH GREATER-THAN SIGN}")
_ENDS = (":", "\N{FULLWIDTH COLON}")
_WROTE: Final = (
    "wrote", "escribió", "escribio", "a écrit", "schrieb", "ha scritto", "escreveu", "schreef",
    "さんは書きました", "さんが書きました", "のメール", "のメッセージ", "が書き込みました",
)  # fmt: skip
_OPENS = re.compile(
    r"(?:on|el|le|am|il|em|op)\s|no dia\s|a\s+(?=\w+,?\s+\d|\d)|(?:20)?\d\d[年/.-]\s*\d{1,2}[月/.-]", re.IGNORECASE
)
"""How such a line begins in most languages: `On Mon, …`, `El lun, …`, `2026年11月3日…`."""
_DATED = re.compile(r"\b20\d\d\b|20\d\d年|\d{1,2}[:.h]\d\d|@")
_TIMED = re.compile(r"\d{1,2}[:.h]\d\d|\b20\d\d\b|20\d\d年")
_JAPANESE = re.compile(r"20\d\d\s*[年/.-]\s*\d{1,2}\s*[月/.-]\s*\d{1,2}")

_LABELS: Final[Mapping[str, str]] = {
    label: kind
    for kind, labels in {
        "from": "from de von da 差出人 送信者 送信元 van",
        "sent": "sent date enviado fecha envoyé datum gesendet inviato data enviada 送信日時 日時 日付 送信日",
        "to": "to para à a an 宛先 aan",
        "cc": "cc kopie copia",
        "subject": "subject asunto objet betreff oggetto assunto 件名 onderwerp",
    }.items()
    for label in labels.split()
}
_LABEL = re.compile(
    r"[\s*_]{0,8}([^\W\d_]{1,10})(?: el| em| le| am)?[\s*_\N{NO-BREAK SPACE}]{0,4}[:\N{FULLWIDTH COLON}]"
)

_DIVIDERS: Final = frozenset({
    "original message", "forwarded message", "begin forwarded message",
    "mensaje original", "mensaje reenviado", "inicio del mensaje reenviado",
    "message d'origine", "message original", "message transféré", "message réexpédié", "début du message réexpédié",
    "début du message transféré",
    "ursprüngliche nachricht", "originalnachricht", "original-nachricht",
    "weitergeleitete nachricht", "anfang der weitergeleiteten nachricht",
    "messaggio originale", "messaggio inoltrato", "inizio messaggio inoltrato",
    "mensagem original", "mensagem encaminhada", "mensagem reencaminhada", "início da mensagem encaminhada",
    "início da mensagem reencaminhada",
    "元のメッセージ", "転送メッセージ", "転送されたメッセージ",
})  # fmt: skip
_TELEPHONES: Final = (
    "sent from my ", "sent from outlook", "sent from mail for windows", "sent from yahoo mail", "sent from proton",
    "sent with proton", "sent with spark", "get outlook for ",
    "enviado desde mi ", "enviado desde outlook", "enviado desde correo", "enviado desde yahoo",
    "obtener outlook para ",
    "envoyé de mon ", "envoyé depuis mon ", "envoyé à partir de ", "obtenir outlook pour ", "télécharger outlook pour ",
    "gesendet von mein", "gesendet von mail für", "gesendet mit ",
    "holen sie sich outlook ", "outlook für ios", "outlook für android",
    "inviato da iphone", "inviato da ipad", "inviato da posta per", "inviato da yahoo", "inviato dal mio ",
    "scarica outlook per ", "ottieni outlook per ",
    "enviado do meu ", "enviado do correio", "enviado do yahoo", "enviado a partir do ",
    "obter o outlook para ", "obtenha o outlook para ", "baixar o outlook ",
    "iphoneから送信", "ipadから送信", "androidから送信", "ios 版 outlook", "android 版 outlook",
    "outlook for ios", "outlook for android",
)  # fmt: skip
"""What telephones write below a mail by themselves, at the beginning of its last line."""
_CONTAINERS = re.compile(
    r"gmail_quote|yahoo_quoted|protonmail_quote|moz-cite-prefix|tutanota_quote|zmail_extra|gmail_extra"
    r"|\btype\s*=\s*[\"']?cite|OLK_SRC_BODY_SECTION",
    re.IGNORECASE,
)
"""What mail programs call the part of a mail in HTML that is quoted."""
_LONGEST_TAG = 2_000


def quotes(name: str, attributes: str) -> bool:
    """Whether an HTML element is what a mail program puts round the words it quotes; see `plain_text.of_html`."""
    return name in ("div", "blockquote", "table", "span") and bool(_CONTAINERS.search(attributes[:_LONGEST_TAG]))


def text_of(html: str) -> str:
    """The text of a mail that is HTML only, its quoted lines marked."""
    return plain_text.of_html(html[: 5 * LONGEST], quotes)


def new_words(text: str) -> str:
    """The lines of a mail that it does not quote, without what its program or its telephone signs them with; empty
    where there are none. Those lines, and in their order."""
    lines = text[:LONGEST].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept: list[str] = []
    at, signed = 0, False
    while at < len(lines):
        line = lines[at]
        if line.lstrip().startswith(_MARKS):
            at, signed = at + 1, False
            continue
        if length := _attribution(lines, at):
            following = at + length
            while following < len(lines) and not lines[following].strip():
                following += 1
            if following == len(lines) or not lines[following].lstrip().startswith(_MARKS):
                break
            at = following
            continue
        if _divides(line) or _is_head(lines, at):
            break
        signed = signed or (line.rstrip() == "--" and any(one.strip() for one in kept))
        if not signed and (line.strip() or (kept and kept[-1].strip())):
            kept.append(line)
        at += 1
    return _without_end("\n".join(kept).strip("\n").split("\n"))


def _attribution(lines: Sequence[str], at: int) -> int:
    """How many lines from here say who wrote when; 0: none."""
    said = ""
    for count in range(1, _ATTRIBUTION_LINES + 1):
        if at + count > len(lines):
            return 0
        line = lines[at + count - 1].strip()
        if not line or len(said) + len(line) > _ATTRIBUTION or line.startswith(_MARKS):
            return 0
        if count > 1 and _OPENS.match(line) and not line[0].isdigit():
            return 0  # it begins there
        said = f"{said} {line}".strip()
        ruled = said.startswith("----") and line.endswith("----")
        if (ruled or line.endswith(_ENDS)) and _attributes(said.strip("- "), alone=count == 1):
            return count
    return 0


def _attributes(said: str, *, alone: bool) -> bool:
    opens = _OPENS.match(said) is not None
    if not (opens or "@" in said) or not _DATED.search(said):
        return False
    if not alone and not opens and "@" not in said[:120]:
        return False
    folded = said.casefold()
    if any(word in folded for word in _WROTE):
        return _TIMED.search(said) is not None or "@" in said
    # Gmail in Japanese has no verb: a date, a name, an address.
    return "@" in said and _JAPANESE.match(said) is not None


def _divides(line: str) -> bool:
    """Whether a line stands above what is passed on or answered."""
    bare = line.strip()
    if len(bare) > 80:
        return False
    word = (
        bare.strip("-_=* ").rstrip(":\N{FULLWIDTH COLON} ").replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").casefold()
    )
    return word in _DIVIDERS and (bare.startswith(("--", "__", "==")) or bare.endswith((":", "\N{FULLWIDTH COLON}")))


def _is_head(lines: Sequence[str], at: int) -> bool:
    """Whether the head of another mail begins here: who wrote it, about what, and one more of when and to whom. Guests
    who order a taxi write `From: …`, `To: …` and `Date: …` as well, but no subject."""
    if _label(lines[at]) not in ("from", "sent", "subject"):
        return False
    found = {_label(line) for line in lines[at : at + _HEAD_LINES]} - {None}
    return {"from", "subject"} <= found and len(found) >= 3


def _label(line: str) -> str | None:
    match = _LABEL.match(line[:40])
    return _LABELS.get(match[1].casefold()) if match else None


def _without_end(lines: list[str]) -> str:
    """Without blank lines, rules and a telephone's own line at the end."""
    while lines:
        last = lines[-1].strip()
        if last.strip("_-*= ") and not _of_telephone(last):
            break
        lines.pop()
    return "\n".join(lines).strip("\n")


def _of_telephone(line: str) -> bool:
    # Some make the program's name a link.
    folded = line.casefold().replace("[", "").lstrip("*<")
    german = folded.startswith("von meinem ") and folded.endswith("gesendet")
    return len(line) <= 120 and (german or folded.startswith(_TELEPHONES)) and not folded.endswith(("?", "!"))
