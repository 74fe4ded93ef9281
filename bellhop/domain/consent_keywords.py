"""STOP and START: the words carriers define, and what a guest who sends one of them wants. Pure."""

from __future__ import annotations

import unicodedata

from bellhop.domain.delivery_ports import Effect

STOP_WORDS = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "arret", "arrêt", "baja", "alto"}
)
START_WORDS = frozenset({"start", "yes", "unstop"})


def consent_keyword(text: str) -> Effect | None:
    """OPT_OUT or OPT_IN when the whole text is a keyword, else None.

    Only the full body counts: "cancel my dinner" is a wish, not an opt-out.
    """
    word = unicodedata.normalize("NFKC", text).casefold().strip(" \t\r\n.!\"'*")
    if word in STOP_WORDS:
        return Effect.OPT_OUT
    return Effect.OPT_IN if word in START_WORDS else None
