"""What a guest reads where a short link does not lead on: one sentence, no script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from html import escape
from typing import Final

from starlette.responses import HTMLResponse

from api.unsubscribe_page import POLICY, STYLE


class Page(StrEnum):
    """Why it does not."""

    NONE = "none"
    """There is no such link, or its message is gone."""
    EXPIRED = "expired"
    """It led somewhere once."""
    TOO_MANY = "too_many"
    """From this address came too many that are none."""
    LATER = "later"
    """It cannot be looked up now."""


_STATUS: Final[Mapping[Page, int]] = {Page.NONE: 404, Page.EXPIRED: 410, Page.TOO_MANY: 429, Page.LATER: 503}
_WORDS: Final[Mapping[str, tuple[str, str, str]]] = {
    # That it leads nowhere; that it is over; that it is to be tried again.
    "en": (
        "This link does not work. Please look at the message you got once more.",
        "This link is no longer valid. Please ask us for a new one.",
        "This link cannot be opened right now. Please try again in a moment.",
    ),
    "es": (
        "Este enlace no funciona. Revise de nuevo el mensaje que recibió.",
        "Este enlace ya no es válido. Pídanos uno nuevo.",
        "Este enlace no se puede abrir ahora. Inténtelo de nuevo en un momento.",
    ),
    "fr": (
        "Ce lien ne fonctionne pas. Veuillez vérifier le message reçu.",
        "Ce lien n'est plus valable. Demandez-nous-en un nouveau.",
        "Ce lien ne peut pas être ouvert pour le moment. Réessayez dans un instant.",
    ),
    "de": (
        "Dieser Link funktioniert nicht. Bitte sehen Sie noch einmal in der Nachricht nach.",
        "Dieser Link ist nicht mehr gültig. Bitte fragen Sie uns nach einem neuen.",
        "Dieser Link lässt sich gerade nicht öffnen. Bitte versuchen Sie es gleich noch einmal.",
    ),
    "it": (
        "Questo link non funziona. Controlli di nuovo il messaggio ricevuto.",
        "Questo link non è più valido. Ce ne chieda uno nuovo.",
        "Questo link non si può aprire ora. Riprovi tra un momento.",
    ),
    "pt": (
        "Esta ligação não funciona. Veja de novo a mensagem que recebeu.",
        "Esta ligação já não é válida. Peça-nos uma nova.",
        "Esta ligação não pode ser aberta agora. Tente de novo dentro de momentos.",
    ),
    "ja": (
        "このリンクは使えません。届いたメッセージをもう一度ご確認ください。",
        "このリンクは有効期限が切れています。新しいリンクをお求めください。",
        "現在このリンクを開けません。しばらくしてからもう一度お試しください。",
    ),
}
_PLACE: Final[Mapping[Page, int]] = {Page.NONE: 0, Page.EXPIRED: 1, Page.TOO_MANY: 2, Page.LATER: 2}
_LONGEST = 100
"""Characters of what a browser says of its languages that are read."""


def page(why: Page, accept_language: str = "", *, retry_after: int | None = None) -> HTMLResponse:
    """The page, in the first language asked for that is known, else English. `retry_after`: in seconds."""
    wanted = [one.partition(";")[0].strip().partition("-")[0].lower() for one in accept_language[:_LONGEST].split(",")]
    language = next((one for one in wanted if one in _WORDS), "en")
    said = _WORDS[language][_PLACE[why]]
    title, _, rest = said.partition("。") if language == "ja" else said.partition(". ")
    stop = "。" if language == "ja" else "."
    html = (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="robots" content="noindex">\n'
        f'<title>{escape(title)}{stop}</title>\n<link rel="icon" href="data:,">\n<style>\n{STYLE}</style>\n</head>\n'
        f"<body>\n<main>\n<h1>{escape(title)}{stop}</h1>\n<p>{escape(rest)}</p>\n</main>\n</body>\n</html>\n"
    )
    headers = {"content-security-policy": POLICY, "cache-control": "no-store", "x-robots-tag": "noindex"}
    if retry_after is not None:
        headers["retry-after"] = str(retry_after)
    return HTMLResponse(html, _STATUS[why], headers)
