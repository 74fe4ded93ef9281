"""What a guest is answered who says STOP, START or HELP: in their language, once, and never on and on. Pure.

A property has its own texts in its setting `keyword_answers`, by keyword and language; else these are used. One answer
goes out where the carrier or provider sends none itself (`Inbound.answered`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from bellhop.domain.consent_keywords import Keyword

SETTING: Final = "keyword_answers"
PLACE: Final = "{property}"
"""Where a text has the property's name."""
LONGEST: Final = 640
"""Characters of a property's own text."""
MOST_LANGUAGES: Final = 50

WITHIN: Final = 300.0
"""Seconds after what a guest said in which it is answered (47 CFR 64.1200(a)(12): five minutes); later it is not."""
MOST_A_DAY: Final = 6
"""Answers to one address in 24 hours: two machines that answer each other stop there."""
DAY: Final = timedelta(days=1)
_AGAIN: Final = {Keyword.STOP: DAY, Keyword.START: DAY, Keyword.HELP: timedelta(hours=1)}
"""How long the same thing, said again, is not answered again."""

TEXTS: Final[Mapping[Keyword, Mapping[str, str]]] = {
    Keyword.STOP: {
        "en": "{property}: you are unsubscribed and will get no more messages from us here. Reply START to get "
        "them again.",
        "es": "{property}: se ha dado de baja y no recibirá más mensajes nuestros aquí. Responda START para "
        "recibirlos de nuevo.",
        "fr": "{property} : vous êtes désabonné et ne recevrez plus de messages de notre part ici. Répondez "
        "START pour en recevoir à nouveau.",
        "de": "{property}: Sie sind abgemeldet und erhalten hier keine Nachrichten mehr von uns. Antworten Sie "
        "START, um sie wieder zu erhalten.",
        "it": "{property}: la sua iscrizione è annullata e qui non riceverà più nostri messaggi. Risponda START "
        "per riceverli di nuovo.",
        "pt": "{property}: a sua inscrição foi cancelada e não receberá mais mensagens nossas aqui. Responda "
        "START para voltar a recebê-las.",
        "nl": "{property}: u bent afgemeld en krijgt hier geen berichten meer van ons. Antwoord START om ze weer "
        "te krijgen.",
        "ja": "{property}：配信を停止しました。今後こちらにはメッセージをお送りしません。再開するには START と返"
        "信してください。",
        "zh": "{property}：您已退订，我们不会再向此处发送消息。回复 START 可重新接收。",
    },
    Keyword.START: {
        "en": "{property}: you will get our messages here again. Reply STOP to get no more, HELP for help.",
        "es": "{property}: volverá a recibir nuestros mensajes aquí. Responda STOP para no recibir más, HELP "
        "para ayuda.",
        "fr": "{property} : vous recevrez à nouveau nos messages ici. Répondez STOP pour ne plus en recevoir, "
        "HELP pour de l'aide.",
        "de": "{property}: Sie erhalten hier wieder Nachrichten von uns. Antworten Sie STOP, um keine mehr zu "
        "erhalten, HELP für Hilfe.",
        "it": "{property}: qui riceverà di nuovo i nostri messaggi. Risponda STOP per non riceverne più, HELP "
        "per assistenza.",
        "pt": "{property}: voltará a receber as nossas mensagens aqui. Responda STOP para não receber mais, HELP "
        "para ajuda.",
        "nl": "{property}: u krijgt hier weer berichten van ons. Antwoord STOP om er geen meer te krijgen, HELP "
        "voor hulp.",
        "ja": "{property}：メッセージの配信を再開しました。停止するには STOP、ヘルプは HELP と返信してください。",
        "zh": "{property}：您将重新收到我们的消息。回复 STOP 退订，回复 HELP 获取帮助。",
    },
    Keyword.HELP: {
        "en": "{property}: we write to you here about your stay. Please contact our front desk if you need help. "
        "Reply STOP to get no more messages.",
        "es": "{property}: le escribimos aquí sobre su estancia. Si necesita ayuda, contacte con recepción. "
        "Responda STOP para no recibir más mensajes.",
        "fr": "{property} : nous vous écrivons ici au sujet de votre séjour. Pour toute aide, contactez la "
        "réception. Répondez STOP pour ne plus recevoir de messages.",
        "de": "{property}: Wir schreiben Ihnen hier zu Ihrem Aufenthalt. Wenn Sie Hilfe brauchen, wenden Sie "
        "sich an die Rezeption. Antworten Sie STOP, um keine Nachrichten mehr zu erhalten.",
        "it": "{property}: qui le scriviamo del suo soggiorno. Per assistenza contatti la reception. Risponda "
        "STOP per non ricevere più messaggi.",
        "pt": "{property}: escrevemos-lhe aqui sobre a sua estadia. Se precisar de ajuda, contacte a receção. "
        "Responda STOP para não receber mais mensagens.",
        "nl": "{property}: we schrijven u hier over uw verblijf. Neem contact op met de receptie als u hulp "
        "nodig hebt. Antwoord STOP om geen berichten meer te krijgen.",
        "ja": "{property}：ご宿泊についてこちらでご連絡しています。お困りの際はフロントまでお問い合わせください。"
        "停止するには STOP と返信してください。",
        "zh": "{property}：我们在此与您联系住宿事宜。如需帮助，请联系前台。回复 STOP 退订。",
    },
}


def answering(keyword: Keyword) -> dict[str, str]:
    """What is kept with the message that answers it."""
    return {"keyword": keyword.value}


def answers_keyword(details: Mapping[str, Any] | None) -> bool:
    """Whether a message, by what is kept with it, answers what a guest has just asked for by a keyword: it may go out
    although the guest says STOP. Nobody else's message has this, nor one that is sent again."""
    return bool(details and details.get("answers"))


@dataclass(slots=True)
class Given:
    """An answer that an address was given."""

    keyword: Keyword
    created_at: datetime


def text_of(keyword: Keyword, own: object, languages: Sequence[str | None], property_name: str) -> str | None:
    """What a property answers, in the first of `languages` that there is a text in, else in English; None: nothing.
    `own`: its setting, as `checked` gives it; None: it has none."""
    texts: Mapping[str, str] = TEXTS[keyword]
    if own is False:
        return None
    set_here = own.get(keyword.value) if isinstance(own, Mapping) else None
    if set_here is False:
        return None
    if isinstance(set_here, Mapping):
        texts = {**texts, **set_here}
    return _in_language(texts, languages).replace(PLACE, property_name)


def _in_language(texts: Mapping[str, str], languages: Sequence[str | None]) -> str:
    for language in [*languages, "en"]:
        tag = (language or "").lower()
        found = texts.get(tag) or texts.get(tag.partition("-")[0])
        if found:
            return found
    return texts["en"]


def checked(own: object) -> Any:
    """A property's setting, with languages in lower case. Raises ValueError on what is none: `false` (nothing is
    answered), or by keyword `false` or texts by language."""
    if own is False:
        return False
    if not isinstance(own, Mapping) or not set(own) <= set(Keyword):
        raise ValueError
    return {name: _texts(given) for name, given in own.items()}


def _texts(given: object) -> Any:
    if given is False:
        return False
    if not isinstance(given, Mapping) or len(given) > MOST_LANGUAGES:
        raise ValueError
    for language, text in given.items():
        fits = isinstance(language, str) and 2 <= len(language) <= 35 and language.replace("-", "").isalnum()
        if not (fits and isinstance(text, str) and text.strip() and len(text) <= LONGEST and "\0" not in text):
            raise ValueError
    return {language.lower(): text.strip() for language, text in given.items()}


def may_answer(keyword: Keyword, given: Sequence[Given], now: datetime) -> bool:
    """Whether this is to be answered. `given`: the answers of the last 24 hours to that address, the newest first: the
    same thing said again is not, unless the opposite was said meanwhile; nor is anything past `MOST_A_DAY`."""
    recent = [one for one in given if one.created_at > now - DAY]
    if len(recent) >= MOST_A_DAY:
        return False
    alike = (Keyword.HELP,) if keyword is Keyword.HELP else (Keyword.STOP, Keyword.START)
    last = next((one for one in recent if one.keyword in alike), None)
    return last is None or last.keyword is not keyword or last.created_at <= now - _AGAIN[keyword]
