"""Yes and no in the words of many languages; for wishes not to be contacted, also the words of mailing programs."""

from __future__ import annotations

from typing import Final

import polars as pl

from contact_pipeline.kinds.cell_rules import CellRule
from contact_pipeline.kinds.kind import Kind
from contact_pipeline.kinds.registered import advice
from contact_pipeline.kinds.text import are_blanks
from contact_pipeline.profiles import Column
from contact_pipeline.profiles.model import YES_NO
from contact_pipeline.terms import CONSENT, UNREAD

_YES: Final = """
    yes|y|true|t|1|1.0|x|on|✓|✔|☑|ja|j|jawohl|oui|vrai|sí|si|verdadero|sim|verdadeiro|sì|vero|tak|prawda|ano|áno|pravda
    da|да|истина|так|igen|igaz|kyllä|tosi|evet|doğru|ναι|نعم|כן|हाँ|हां|はい|是|예|네|có|ya
"""
_NO: Final = """
    no|n|false|f|0|0.0|off|☐|nein|nee|non|faux|falso|não|nao|nie|fałsz|falsz|ne|nepravda|нет|ложь|ні|не|nem|hamis|ei
    epätosi|nej|nei|hayır|hayir|yanlış|όχι|لا|לא|नहीं|いいえ|否|아니요|아니오|không|tidak
"""
_OPTED_OUT: Final = """
    unsubscribed|unsubscribe|opted out|opt out|optout|do not contact|do not email|do not mail|do not call|dnc|stop
    do not allow|suppressed|blocklisted
    abgemeldet|ausgetragen|nicht kontaktieren|désabonné|désabonnée|désinscrit|désinscrite|ne pas contacter
    dado de baja|dada de baja|baja|no contactar|cancelado|descadastrado|não contatar|não contactar
    disiscritto|disiscritta|cancellato|non contattare|uitgeschreven|afgemeld|niet contacteren|wypisany|wypisana
    odhlášen|odhlášeno|leiratkozott|avregistrerad|avslutad|afmeldt|avmeldt|отписан|отписался|отписалась|не беспокоить
    配信停止|退订|退訂|수신거부
"""
_OPTED_IN: Final = (
    "subscribed|subscribe|opted in|opt in|optin|allow|angemeldet|abonné|abonnée|suscrito|suscrita|inscrito|iscritto"
)


def boolean(text: pl.Expr, *, of_consent: bool = False) -> pl.Expr:
    """True or False; null where the text is neither.

    Args:
        text: trimmed.
        of_consent: whether the column holds wishes not to be contacted, where "unsubscribed" means yes.
    """
    yes, no = _words(_YES), _words(_NO)
    lower = text.str.to_lowercase().str.strip_suffix(".")
    if of_consent:
        yes, no = yes + _words(_OPTED_OUT), no + _words(_OPTED_IN)
        lower = _in_words(lower)
    return pl.when(lower.is_in(yes)).then(pl.lit(True)).when(lower.is_in(no)).then(pl.lit(False))


def opts_out(text: pl.Expr) -> pl.Expr:
    """Whether the text says that somebody is not to be contacted; null stays null."""
    return _in_words(text.str.to_lowercase().str.strip_chars(" .!*")).is_in(_words(_OPTED_OUT))


def _in_words(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(r"[-_\s]+", " ")


def _words(table: str) -> list[str]:
    return [word.strip() for line in table.split("\n") for word in line.split("|") if word.strip()]


def _normalize(given: pl.Expr, column: Column, *_: object) -> pl.Expr:
    return boolean(given, of_consent=column.field == CONSENT)


def _beside(given: pl.Expr, column: Column, *_: object) -> list[pl.Expr]:
    """The text that is neither yes nor no."""
    return [pl.when(_normalize(given, column).is_null()).then(given).alias(f"{UNREAD}{column.field}")]


def _quoted(cell: pl.Expr, column: Column, code: str, *_: object) -> tuple[pl.Expr, pl.Expr]:
    answer = pl.when(cell).then(pl.lit("yes")).when(~cell).then(pl.lit("no"))
    quoted = answer if code == "not-a-choice" else pl.col(f"{UNREAD}{column.field}")
    return quoted, quoted


def _rules(column: Column, *_: object) -> list[CellRule]:
    allowed = [YES_NO[word] for word in column.choices]
    return [CellRule("not-a-choice", lambda value: value.is_in(allowed))] if allowed else []


BOOLEAN: Final = Kind(
    normalize=_normalize,
    beside=_beside,
    blanked=lambda before, _after, _column, blanks: are_blanks(before, blanks),  # an unread text has no value either
    taken_apart=False,
    offered=lambda column, _: (tuple(column.choices) or ("yes", "no"), "take"),
    rules=_rules,
    quoted=_quoted,
    expected=advice,
    unread_code="boolean-format",
)
