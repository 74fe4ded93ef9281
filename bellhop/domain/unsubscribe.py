"""The link with which a guest wants no more marketing: its token, where it stands in a mail, what its page says. Pure.

One click (RFC 8058): the mail's header names the address, and whoever posts there is unsubscribed at once.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Final
from uuid import UUID

from bellhop.domain.content import HTML, Content

PATH: Final = "/u/"
PARAMETER: Final = "unsubscribe_url"
"""What a template names where it wants the link; it stands in what the template makes until the mail goes out."""
PLACE: Final = f"{{{{ {PARAMETER} }}}}"
_PLACES = re.compile(r"\{\{-?\s*unsubscribe_url\s*-?\}\}")
_BODY_ENDS = re.compile(r"</(?:body|html)\s*>", re.IGNORECASE)
_MAC = 15
_LENGTH = 43
"""Characters of a token: 16 bytes of a message's id, one of its step, and 15 that prove it is ours."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a guest reads of it in one language. `ask`, `done`: of a page, with the property's name in place of {}."""

    link: str
    ask: str
    button: str
    done: str
    still: str
    """What they get all the same."""
    gone: str
    """Where the link is none."""


_WORDS: Final[Mapping[str, Words]] = {
    "en": Words(
        "Unsubscribe from offers",
        "No more offers from {}?",
        "Unsubscribe",
        "You will get no more offers from {}.",
        "Messages about your stay still reach you.",
        "This link does not work. Please use the one in the mail you got last.",
    ),
    "es": Words(
        "Darse de baja de las ofertas",
        "¿No quiere más ofertas de {}?",
        "Darse de baja",
        "No recibirá más ofertas de {}.",
        "Los mensajes sobre su estancia le seguirán llegando.",
        "Este enlace no funciona. Utilice el del último correo que recibió.",
    ),
    "fr": Words(
        "Se désabonner des offres",
        "Ne plus recevoir d'offres de {} ?",
        "Se désabonner",
        "Vous ne recevrez plus d'offres de {}.",
        "Les messages concernant votre séjour vous parviendront toujours.",
        "Ce lien ne fonctionne pas. Utilisez celui du dernier e-mail reçu.",
    ),
    "de": Words(
        "Von Angeboten abmelden",
        "Keine Angebote von {} mehr?",
        "Abmelden",
        "Sie erhalten keine Angebote von {} mehr.",
        "Nachrichten zu Ihrem Aufenthalt erreichen Sie weiterhin.",
        "Dieser Link funktioniert nicht. Bitte nehmen Sie den aus der letzten E-Mail.",
    ),
    "it": Words(
        "Annulla l'iscrizione alle offerte",
        "Non vuole più offerte da {}?",
        "Annulla l'iscrizione",
        "Non riceverà più offerte da {}.",
        "I messaggi sul Suo soggiorno continueranno ad arrivare.",
        "Questo link non funziona. Usi quello dell'ultima e-mail ricevuta.",
    ),
    "pt": Words(
        "Cancelar a subscrição de ofertas",
        "Não quer mais ofertas de {}?",
        "Cancelar a subscrição",
        "Não receberá mais ofertas de {}.",
        "As mensagens sobre a sua estadia continuarão a chegar.",
        "Esta ligação não funciona. Use a do último e-mail que recebeu.",
    ),
    "ja": Words(
        "お知らせの配信を停止する",
        "{}からのお知らせの配信を停止しますか?",
        "配信を停止する",
        "{}からのお知らせは今後届きません。",
        "ご宿泊に関するメッセージは引き続きお届けします。",
        "このリンクは使えません。最後に届いたメールのリンクをお使いください。",
    ),
}


def words_in(*languages: str | None) -> tuple[str, Words]:
    """The first of these languages (`de`, `pt-BR`) that is known, else English, and what is said in it."""
    for wanted in languages:
        language = (wanted or "").partition("-")[0].lower()
        if language in _WORDS:
            return language, _WORDS[language]
    return "en", _WORDS["en"]


class UnsubscribeTokens:
    """Makes tokens and reads them. `secret`: the installation's."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"bellhop unsubscribe\0" + secret.encode()).digest()

    def make(self, message_id: UUID, step: int) -> str:
        """The token of one message, at one of its steps: 43 letters of base64url, without an end, since a mail may be
        read years later."""
        said = message_id.bytes + step.to_bytes(1, "big")
        return base64.urlsafe_b64encode(said + self._mac(said)).decode().rstrip("=")

    def read(self, token: str) -> tuple[UUID, int] | None:
        """The message and the step that a token is of; None: it is none of ours. No look-up is made."""
        if len(token) != _LENGTH or not token.isascii():
            return None
        try:
            raw = base64.b64decode(token + "=", altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        said, mac = raw[:-_MAC], raw[-_MAC:]
        return (UUID(bytes=said[:16]), said[16]) if hmac.compare_digest(mac, self._mac(said)) else None

    def _mac(self, said: bytes) -> bytes:
        return hashlib.blake2b(said, key=self._key, digest_size=_MAC).digest()


def named_in(text: str) -> bool:
    """Whether a text says itself where the link stands."""
    return _PLACES.search(text) is not None


def with_link(said: Content, url: str, *languages: str | None) -> Content:
    """The same with the link: where it says so itself, else at its end."""
    if named_in(said.text):
        plain = None if said.plain is None else _PLACES.sub(lambda _: url, said.plain)
        return replace(said, text=_PLACES.sub(lambda _: url, said.text), plain=plain)
    _, words = words_in(*languages)
    footer = f"\n\n--\n{words.link}:\n{url}\n"
    if said.content_type != HTML:
        return replace(said, text=said.text.rstrip() + footer)
    # SendGrid leaves a link alone that says so: what it rewrites, scanners follow.
    link = f'<a href="{escape(url)}" clicktracking="off">{escape(words.link)}</a>'
    shown = f'<p style="margin-top:24px;font-size:12px">{link}</p>'
    ends = [found.start() for found in _BODY_ENDS.finditer(said.text)]
    place = min(ends[-2:]) if ends else len(said.text)
    plain = None if said.plain is None else said.plain.rstrip() + footer
    return replace(said, text=said.text[:place] + shown + said.text[place:], plain=plain)
