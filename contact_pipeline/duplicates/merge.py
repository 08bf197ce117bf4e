"""Plans the merge of sets of contacts: one of each survives, and its blank fields are filled from the others.

The survivor is the one that was changed last; of one commit, the oldest. The others keep their values, deactivated and
linked to the survivor, and their groups pass over. An import that matches any of them reaches the survivor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from contact_pipeline.contracts.tables import declared
from contact_pipeline.duplicates.winners import winning
from contact_pipeline.engines import Tables, literal, quoted
from contact_pipeline.store.changes import touches
from contact_pipeline.store.effective import EFFECTIVE
from contact_pipeline.store.erasures import ERASED
from contact_pipeline.terms import CONSENT


@dataclass(frozen=True, slots=True)
class Members:
    """The contacts of the sets as they are, read in one look at the contact database.

    Attributes:
        contacts: contact_id, survivor, address_book, revision, active, is_erased, the fields, and `at_<field>`, the
            number of the newest effective commit that changed it.
        linked: contacts of the same persons by links: survivor, contact_id, revision, do_not_contact; members included.
        links: all links among these: contact_id, linked_to.
        memberships: survivor, group_name, contact_id of the members.
        snapshot: number of the newest commit.
        active: how many active contacts the address book has.
        alone: (account number, contact) of merged contacts whose account has no other active contact.
    """

    contacts: pl.DataFrame
    linked: pl.DataFrame
    links: pl.DataFrame
    memberships: pl.DataFrame
    snapshot: int
    active: int
    alone: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Merged:
    """The changes of a merge, as the tables of a changeset hold them."""

    contact_changes: pl.DataFrame
    membership_changes: pl.DataFrame
    link_changes: pl.DataFrame

    @property
    def deactivated(self) -> int:
        """How many contacts are merged into others."""
        return self.contact_changes.filter(action="deactivate").height

    def stage(self, database: Tables) -> None:
        """Stages the changes."""
        database.see("changes", self.contact_changes)
        database.keep("contact_changes", "FROM changes")
        database.unsee("changes")
        database.store("membership_changes", self.membership_changes)
        database.store("link_changes", self.link_changes)


def read_members(database: Tables, sets: Sequence[Sequence[int]], address_book: str) -> Members:
    """Reads the contacts of the sets from the contact database, and chooses the survivor of each set."""
    database.see("members", _with_survivors(database, sets))
    try:
        fields = [name for (name,) in database.rows("SELECT name FROM fields")]
        names = ", ".join(f"c.{quoted(name)}" for name in fields)
        newest = ", ".join(f"max(commit_number) FILTER ({touches(name)}) AS {quoted(f'at_{name}')}" for name in fields)
        contacts = database.frame(f"""
            WITH newest AS (
                SELECT contact_id, {newest} FROM contact_changes
                WHERE contact_id IN (SELECT contact_id FROM members) AND commit_number IN ({EFFECTIVE.format("")})
                GROUP BY contact_id
            )
            SELECT m.survivor, c.contact_id, c.address_book, c.revision, c.active,
                   c.contact_id IN ({ERASED.format("")}) AS is_erased, {names},
                   {", ".join(f"newest.{quoted(f'at_{name}')}" for name in fields)}
            FROM members AS m JOIN contacts AS c USING (contact_id) LEFT JOIN newest USING (contact_id)
            ORDER BY m.survivor, c.contact_id""")
        linked = database.frame(f"""
            WITH RECURSIVE ends AS MATERIALIZED (
                SELECT contact_id, linked_to AS other FROM links UNION ALL SELECT linked_to, contact_id FROM links
            ),
            same(survivor, contact_id) AS (
                SELECT survivor, contact_id FROM members
                UNION SELECT survivor, other FROM same JOIN ends USING (contact_id)
            )
            SELECT survivor, c.contact_id, c.revision, c.{quoted(CONSENT)} FROM same
            JOIN contacts AS c USING (contact_id) WHERE c.contact_id NOT IN ({ERASED.format("")})""")
        database.see("linked_people", linked)
        links = database.frame("""
            SELECT contact_id, linked_to FROM links
            WHERE contact_id IN (SELECT contact_id FROM linked_people)
                  AND linked_to IN (SELECT contact_id FROM linked_people)""")
        database.unsee("linked_people")
        memberships = database.frame(f"""
            SELECT survivor, group_name, contact_id FROM memberships JOIN members USING (contact_id)
            WHERE address_book = {literal(address_book)} ORDER BY survivor, group_name, contact_id""")
        return Members(
            contacts,
            linked,
            links,
            memberships,
            database.value("SELECT coalesce(max(commit_number), 0) FROM commits"),
            database.value(f"SELECT count(*) FROM contacts WHERE active AND address_book = {literal(address_book)}"),
            _left_alone(database, address_book),
        )
    finally:
        database.unsee("members")


def _with_survivors(database: Tables, sets: Sequence[Sequence[int]]) -> pl.DataFrame:
    """Each contact with the survivor of its set: the one changed last; of one commit, the oldest."""
    members = pl.DataFrame(
        [(contact_id, place) for place, each in enumerate(sets) for contact_id in each],
        schema={"contact_id": pl.Int64, "place": pl.Int64},
        orient="row",
    )
    database.see("named", members)
    newest = database.frame(f"""
        SELECT contact_id, max(commit_number) AS at FROM contact_changes
        WHERE contact_id IN (SELECT contact_id FROM named) AND commit_number IN ({EFFECTIVE.format("")})
        GROUP BY contact_id""")
    database.unsee("named")
    order = [-pl.col("at").cast(pl.Int64).fill_null(0), pl.col("contact_id")]
    survivor = pl.col("contact_id").sort_by(order).first().over("place").alias("survivor")
    return members.join(newest, on="contact_id", how="left").select("contact_id", survivor)


def _left_alone(database: Tables, address_book: str) -> list[tuple[str, int]]:
    """The accounts of which no contact stays active but the survivors: (number, contact that is merged)."""
    return [
        (number, contact_id)
        for number, contact_id in database.rows(f"""
            WITH merged AS (SELECT contact_id FROM members WHERE contact_id <> survivor),
            there AS (
                SELECT account_number FROM contacts
                WHERE active AND address_book = {literal(address_book)} AND contact_id NOT IN (FROM merged)
                      AND account_number IS NOT NULL
            )
            SELECT account_number, contact_id FROM contacts
            WHERE contact_id IN (FROM merged) AND account_number NOT IN (FROM there) AND account_number IN (
                SELECT account_number FROM accounts WHERE address_book = {literal(address_book)})
            ORDER BY contact_id""")
    ]


def plan_merge(members: Members, kinds: Mapping[str, pl.DataType]) -> Merged:
    """The changes that make one contact of each set.

    Args:
        members: the contacts, active, of one address book, none of them erased.
        kinds: field → its type.
    """
    wishing = members.linked.filter(pl.col(CONSENT))["survivor"].unique().implode()
    is_merged = pl.col("contact_id") != pl.col("survivor")
    after = winning(members.contacts, kinds)
    survivors = members.contacts.filter(~is_merged)
    updates = survivors.select("contact_id", "revision", *kinds).join(
        after, left_on="contact_id", right_on="survivor", how="left", suffix="_after", maintain_order="left"
    )
    updates = updates.with_columns(
        pl.when(pl.col("contact_id").is_in(wishing)).then(True).otherwise(pl.col(f"{CONSENT}_after"))
        .alias(f"{CONSENT}_after")
    )  # fmt: skip
    changes = [
        _sides(updates, "update", {name: (pl.col(name), pl.col(f"{name}_after")) for name in kinds}),
        *_of_others(members, wishing),
    ]
    merged = pl.concat(changes, how="diagonal_relaxed")
    touched = pl.any_horizontal(
        pl.col(f"before_{name}").ne_missing(pl.col(f"after_{name}")) for name in ("active", *kinds)
        if f"before_{name}" in merged.columns
    )  # fmt: skip
    of_set = dict(members.linked.select("contact_id", "survivor").iter_rows())
    by_set = pl.col("contact_id").replace_strict(of_set, return_dtype=pl.Int64)
    merged = merged.filter(touched).sort(by_set, "contact_id")
    return Merged(_only_touched(merged, {"active": pl.Boolean(), **kinds}), _memberships(members), _links(members))


def _of_others(members: Members, wishing: pl.Series) -> Iterator[pl.DataFrame]:
    """The changes of merged contacts, and of linked contacts that get the wish of a member of the set."""
    wishes = pl.col("survivor").is_in(wishing) & pl.col(CONSENT).ne_missing(True)
    sides = {CONSENT: (pl.col(CONSENT), pl.when(wishes).then(True).otherwise(pl.col(CONSENT)))}
    others = members.contacts.filter(pl.col("contact_id") != pl.col("survivor"))
    yield _sides(others, "deactivate", {**sides, "active": (pl.lit(True), pl.lit(False))})
    apart = members.linked.join(members.contacts.select("contact_id"), on="contact_id", how="anti")
    yield _sides(apart.unique("contact_id", maintain_order=True).filter(wishes), "update", sides)


def _sides(frame: pl.DataFrame, action: str, sides: Mapping[str, tuple[pl.Expr, pl.Expr]]) -> pl.DataFrame:
    """Changes with both sides of fields; both are null where a field stays."""
    return frame.select(
        pl.lit(None, pl.UInt32).alias("row_number"),
        "contact_id",
        pl.lit(action).alias("action"),
        pl.col("revision").alias("base_revision"),
        *(
            pl.when(before.ne_missing(after)).then(side).alias(f"{word}_{name}")
            for name, (before, after) in sides.items()
            for word, side in (("before", before), ("after", after))
        ),
    )


def _only_touched(changes: pl.DataFrame, kinds: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """The changes without the columns of fields that none of them touches, except whether a contact is active."""
    sides = [f"{word}_{name}" for name in kinds for word in ("before", "after")]
    untouched = [
        name
        for name in kinds
        if all(
            f"{word}_{name}" not in changes.columns or changes[f"{word}_{name}"].is_null().all()
            for word in ("before", "after")
        )
    ]
    return changes.drop(
        [f"{word}_{name}" for name in untouched for word in ("before", "after")], strict=False
    ).with_columns(
        pl.col(side).cast(kinds[side.partition("_")[2]])
        for side in sides
        if side in changes.columns and side.partition("_")[2] not in untouched
    )


def _memberships(members: Members) -> pl.DataFrame:
    """The memberships of the merged end, and the survivor's begin where it has none."""
    gone = members.memberships.filter(pl.col("contact_id") != pl.col("survivor"))
    there = members.memberships.select("group_name", pl.col("contact_id").alias("survivor"))
    new = gone.select("group_name", "survivor").unique().join(there, on=["group_name", "survivor"], how="anti")
    return pl.concat(
        [
            _pairs(gone, "remove", "contact_id", "group_name"),
            _pairs(new, "create", "survivor", "group_name"),
        ]
    ).sort("contact_id", "group_name", "action")


def _links(members: Members) -> pl.DataFrame:
    """Every contact of the person is linked with the survivor, and with nobody else."""
    wanted = members.linked.filter(pl.col("contact_id") != pl.col("survivor")).select(
        "contact_id", pl.col("survivor").alias("linked_to")
    )
    both = ["contact_id", "linked_to"]
    return pl.concat(
        [
            _pairs(members.links.join(wanted, on=both, how="anti"), "remove", "contact_id", "linked_to"),
            _pairs(wanted.join(members.links, on=both, how="anti"), "create", "contact_id", "linked_to"),
        ]
    ).sort("contact_id", "linked_to", "action")


def _pairs(frame: pl.DataFrame, action: str, contact: str, other: str) -> pl.DataFrame:
    return frame.select(
        pl.lit(None, pl.UInt32).alias("row_number"),
        pl.lit(action).alias("action"),
        pl.col(contact).alias("contact_id"),
        pl.col(other),
    ).select(*declared("membership_changes" if other == "group_name" else "link_changes"))
