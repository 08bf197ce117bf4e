"""Finds duplicates: sets of contacts that the rules call one person and, where asked for, near pairs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from contact_pipeline.duplicates.compared import (
    LeftOut,
    compared_fields,
    contact_part,
    copy_contacts,
    set_aside,
    workspace,
)
from contact_pipeline.duplicates.exact import make_doubtful_pairs, make_sets, read_sets, rule_in_words
from contact_pipeline.duplicates.near import AT_LEAST, find_near, make_near_keys, why
from contact_pipeline.engines import Tables
from contact_pipeline.errors import Refusal
from contact_pipeline.masking import mask_within
from contact_pipeline.match.part import Part
from contact_pipeline.profiles import Profile
from contact_pipeline.store import Store
from contact_pipeline.store.groups import find_group

_OF_CONTACT = ("contact_id", "full_name", "first_name", "last_name", "email", "phone", "account_number", "company")


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The contacts of an address book that are one person, or may be.

    Attributes:
        profile: whose rules decide.
        address_book: where they are.
        compared: how many active contacts were compared.
        sets: by the rules: contact_id, first (the oldest of its set), is_chain, rules (in words).
        near: pairs that are near: one, other, score (of 100), is_doubtful (the rules would ask a person), why; None:
            not looked for.
        left_out: values that were not compared, as too many contacts share them.
    """

    profile: str
    address_book: str
    compared: int
    sets: pl.DataFrame
    near: pl.DataFrame | None = None
    left_out: list[LeftOut] = field(default_factory=list)

    @property
    def set_count(self) -> int:
        """How many sets there are, chains included."""
        return int(self.sets["first"].n_unique())

    @property
    def chain_count(self) -> int:
        """How many of them are chains, in which not each contact agrees with each."""
        return int(self.sets.filter(pl.col("is_chain"))["first"].n_unique())

    def mergeable(self) -> list[list[int]]:
        """The sets in which each agrees with each. They are merged unless somebody names other sets."""
        whole = self.sets.filter(~pl.col("is_chain")).group_by("first", maintain_order=True).agg("contact_id")
        return whole["contact_id"].to_list()

    def as_dict(self, store: Store, limit: int | None = None) -> dict[str, Any]:
        """A JSON document with the first sets and the first near pairs, sensitive values masked.

        Args:
            store: that has the contacts.
            limit: how many of each to give at most; None: all.
        """
        sets = self.sets.group_by("first", maintain_order=True).agg("contact_id", pl.first("is_chain", "rules"))
        sets = sets if limit is None else sets.head(limit)
        near = self.near if self.near is None or limit is None else self.near.head(limit)
        ids = {*sets["contact_id"].explode().drop_nulls()}
        if near is not None:
            ids |= {*near["one"], *near["other"]}
        known = shown_contacts(store, ids)
        document: dict[str, Any] = {
            "profile": self.profile,
            "address_book": self.address_book,
            "compared": self.compared,
            "set_count": self.set_count,
            "sets": [
                {
                    "contacts": [known[number] for number in each["contact_id"]],
                    "why": each["rules"],
                    "chain": each["is_chain"],
                }
                for each in sets.iter_rows(named=True)
            ],
            "left_out": [
                {"fields": [*out.fields], "values": out.values, "contacts": out.contacts} for out in self.left_out
            ],
        }
        if near is not None and self.near is not None:
            document["near_count"] = self.near.height
            document["near"] = [
                {
                    "contacts": [known[pair["one"]], known[pair["other"]]],
                    "score": round(pair["score"], 1),
                    "rules_ask": pair["is_doubtful"],
                    "why": pair["why"],
                }
                for pair in near.iter_rows(named=True)
            ]
        return document


def find_duplicates(
    store: Store,
    profile: Profile,
    *,
    group: str | None = None,
    near: bool = False,
    at_least: float = AT_LEAST,
) -> Duplicates:
    """Finds the active contacts of the profile's address book that its rules call one person.

    Contacts that are linked are known to be one, and are no duplicates of each other.

    Args:
        store: of the home.
        profile: whose rules decide.
        group: a group's name: only sets and pairs with one of its contacts; unset: all.
        near: whether near pairs are looked for, too.
        at_least: the least likeness of a near pair, of 100.

    Raises:
        Refusal: the profile has no rules for contacts (`no-contact-rules`), or there is no such group
            (`group-unknown`).
    """
    part, known, pairs = contact_part(profile), _group(store, profile, group), None
    with workspace(store) as database:
        compared = copy_contacts(database, store, profile, part, known)
        left_out = set_aside(database, part)
        make_sets(database, part)
        sets = read_sets(database)
        if near:
            pairs = _find_pairs(database, part, at_least, left_out)
        if known is not None:
            members = database.frame("SELECT contact_id FROM all_keys WHERE in_group")
            firsts = sets.join(members, on="contact_id", how="semi").select("first").unique()
            sets = sets.join(firsts, on="first", how="semi", maintain_order="left")
            if pairs is not None:
                within = members["contact_id"].implode()
                pairs = pairs.filter(pl.col("one").is_in(within) | pl.col("other").is_in(within))
    words = {number: rule_in_words(rule) for number, rule in enumerate(part.rules, 1)}
    as_text = pl.col("rules").list.eval(pl.element().replace_strict(words, return_dtype=pl.String))
    sets = sets.with_columns(as_text if sets.height else pl.lit([], pl.List(pl.String)).alias("rules"))
    return Duplicates(profile.name, profile.address_book, compared, sets, pairs, left_out)


def _find_pairs(database: Tables, part: Part, at_least: float, left_out: list[LeftOut]) -> pl.DataFrame:
    """The near pairs, each with its reason. Adds to `left_out` the values that were not used to look for pairs."""
    fields = compared_fields(part)
    make_doubtful_pairs(database, part)
    reported = {each.fields for each in left_out}
    out = make_near_keys(database, "all_keys", fields, "near_keys")
    left_out += [each for each in out if each.fields not in reported]
    _make_known_pairs(database)
    pairs = find_near(database, fields, at_least, known="known_pairs", doubtful="doubtful_pairs")
    reasons = [why(record, fields) for record in pairs.iter_rows(named=True)]
    return pairs.select("one", "other", "score", "is_doubtful", pl.Series("why", reasons, dtype=pl.String))


def _group(store: Store, profile: Profile, group: str | None) -> str | None:
    if group is None:
        return None
    with store.open(read_only=True) as database:
        known = find_group(database, profile.address_book, group)
    if known is None:
        raise Refusal(
            "group-unknown",
            f"Address book {profile.address_book} has no group '{mask_within(group)}'.",
            "`contact-pipeline groups list` lists the groups.",
        )
    return known


def _make_known_pairs(database: Tables) -> None:
    """Makes known_pairs (one, other): contacts of one set, and contacts that are linked."""
    database.make(
        "known_pairs",
        """
        SELECT a.contact_id AS one, b.contact_id AS other FROM labels AS a JOIN labels AS b ON a.label = b.label
        WHERE a.contact_id < b.contact_id
        UNION
        SELECT a.contact_id, b.contact_id FROM persons AS a JOIN persons AS b ON a.person = b.person
        WHERE a.contact_id < b.contact_id""",
    )


def shown_contacts(store: Store, ids: set[int]) -> dict[int, dict[str, Any]]:
    """Contacts by id, with the values by which people recognize them; sensitive ones masked."""
    found = store.contacts(among=ids) if ids else []
    return {each["contact_id"]: {name: each[name] for name in (*_OF_CONTACT, "groups")} for each in found}
