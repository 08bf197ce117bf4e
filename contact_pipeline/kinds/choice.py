"""Values out of a known set: choices, lists, logins, yes and no, and the word that means nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from contact_pipeline.kinds.distinct import map_distinct
from contact_pipeline.kinds.text import are_blanks, blanked
from contact_pipeline.letters import folded
from contact_pipeline.profiles.model import Blanks

_ESCAPED: Final = "\ufdd0"  # for a separator that is part of a value; no character
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

_NO_BLANKS: Final = Blanks(frozenset())


def choice(text: pl.Expr, registered: Sequence[str]) -> pl.Expr:
    """The registered spelling, whatever the case and the accents; the text as given where it is not registered."""
    return text.map_batches(lambda values: _registered(values, registered), return_dtype=pl.String)


def listed(text: pl.Expr, separator: str, registered: Sequence[str], blanks: Blanks = _NO_BLANKS) -> pl.Expr:
    """The values between separators, each in its registered spelling, once; null where there are none.

    A value that is one of the words for a blank is none, as it would be alone in a cell.
    """
    return text.map_batches(
        lambda values: _listed(values, separator, registered, blanks), return_dtype=pl.List(pl.String)
    )


def hold_blanks(values: pl.Series, separator: str, blanks: Blanks) -> pl.Series:
    """Whether each text is, or has among the values between its separators, a word that means nothing."""

    def hold(texts: pl.Series) -> pl.Series:
        items = pl.DataFrame({"text": texts, "item": _split(texts, separator)}).explode("item", empty_as_null=True)
        is_blank = are_blanks(items["item"].str.strip_chars(), blanks).fill_null(False)
        found = items.filter(is_blank)["text"]
        return texts.is_in(found.implode()) | are_blanks(texts, blanks)

    return map_distinct(values, hold)


def login(text: pl.Expr, users: Sequence[str]) -> pl.Expr:
    """The login as it is known, whatever the case."""
    if not users:
        return text
    lower = [user.lower() for user in users]
    return text.str.to_lowercase().replace_strict(lower, list(users), default=text, return_dtype=pl.String)


def boolean(text: pl.Expr, *, of_consent: bool = False) -> pl.Expr:
    """True or False; null where the text is neither.

    Args:
        text: trimmed.
        of_consent: whether the column says who is not to be contacted, of which "unsubscribed" says yes.
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


def emptied(text: pl.Expr, word: str, value: pl.Expr) -> pl.Expr:
    """The value, or the explicit nothing (an empty string) where the text is the word for it."""
    return pl.when(text.str.to_lowercase() == word.lower()).then(pl.lit("")).otherwise(value)


def _registered(values: pl.Series, registered: Sequence[str]) -> pl.Series:
    if not registered:
        return values
    spellings = pl.Series(list(registered), dtype=pl.String)
    known = pl.DataFrame({"folded": _folded(spellings), "spelling": spellings}).unique("folded", keep="first")

    def spelled(some: pl.Series) -> pl.Series:
        return _folded(some).replace_strict(known["folded"], known["spelling"], default=some, return_dtype=pl.String)

    return map_distinct(values, spelled)


def _listed(values: pl.Series, separator: str, registered: Sequence[str], blanks: Blanks) -> pl.Series:
    distinct = values.drop_nulls().unique()
    items = (
        pl.DataFrame({"text": distinct, "item": _split(distinct, separator)})
        .explode("item", empty_as_null=True)
        .with_columns(pl.col("item").str.replace_all(_ESCAPED, separator, literal=True))
        .with_columns(blanked(pl.col("item").str.strip_chars(), blanks))
        .filter(pl.col("item") != "")
    )
    lists = (
        items.with_columns(choice(pl.col("item"), registered))
        .unique(["text", "item"], keep="first", maintain_order=True)
        .group_by("text", maintain_order=True)
        .agg("item")
    )
    return values.to_frame("text").join(lists, on="text", how="left", maintain_order="left")["item"]


def _split(texts: pl.Series, separator: str) -> pl.Series:
    """What stands between separators; one behind a backslash is none, and stands as a sign that no text has."""
    return texts.str.replace_all(f"\\{separator}", _ESCAPED, literal=True).str.split(separator)


def joined(values: pl.Expr, separator: str) -> pl.Expr:
    """The values as one text, from which `listed` reads the same ones."""
    escaped = pl.element().str.replace_all(separator, f"\\{separator}", literal=True)
    return values.list.eval(escaped).list.join(f"{separator} ")


def _folded(values: pl.Series) -> pl.Series:
    return pl.Series([folded(text) for text in values], dtype=pl.String)
