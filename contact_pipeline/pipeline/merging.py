"""Merges contacts that are one person: tests the given sets, and stages a changeset without a file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from contact_pipeline.contracts.frames import POLARS
from contact_pipeline.contracts.tables import SQL_TYPE
from contact_pipeline.duplicates.find import find_duplicates
from contact_pipeline.duplicates.merge import Members, plan_merge, read_members
from contact_pipeline.duplicates.winners import winning
from contact_pipeline.engines import Database
from contact_pipeline.errors import Refusal, listed
from contact_pipeline.match import merges_too_many
from contact_pipeline.pipeline import by_hand, uploads
from contact_pipeline.profiles import Profile, load_profile
from contact_pipeline.store import Store, Upload
from contact_pipeline.store.reference_data import check_roles

_LIST: Final = "`contact-pipeline duplicates find` lists what can be merged."


def merge_duplicates(
    store: Store,
    profile_name: str,
    sets: Iterable[Collection[int]] | None,
    file: Path | None,
    user: str | None,
) -> Upload:
    """Stages the changeset that makes one contact of each set.

    Args:
        store: of the home.
        profile_name: whose address book, rules and roles hold.
        sets: ids of contacts that are one person, whatever the rules say; unset: see `file`.
        file: a file of `duplicates find` with `yes` beside the sets to merge; unset, and no sets: all sets that the
            rules find and in which each contact agrees with each.
        user: login of who does it; unset: the operating system's.

    Raises:
        Refusal: see `Pipeline.merge_duplicates`.
    """
    profile = load_profile(profile_name, store.settings.profiles_path)
    actor = uploads.login(user)
    with store.open(read_only=True) as database:
        check_roles(database, profile, actor)
    warnings: list[str] = []
    if file is not None:
        from contact_pipeline.duplicates.named import read_sets

        named = read_sets(file, store.settings)
    elif sets is not None:
        named = [[*each] for each in sets]
    else:
        found = find_duplicates(store, profile)
        named = found.mergeable()
        if found.chain_count:
            chains = "1 chain is" if found.chain_count == 1 else f"{found.chain_count:,} chains are"
            warnings.append(f"{chains} left out, in which not each agrees with each: merge them by their ids.")
        warnings += map(str, found.left_out)
        if not named:
            message = f"The rules of profile {profile.name} find no contacts to merge."
            raise Refusal("nothing-to-do", " ".join([message, *warnings]), "")
    together = _united(named)
    is_asked = sets is not None or file is not None
    with store.open(read_only=True) as database:
        kinds = _kinds(database)
        if is_asked:
            _check_mergeable(database, profile, together)
        members = read_members(database, together, profile.address_book)
        unfit = _unfit(members, kinds)
        if unfit and is_asked:
            raise next(iter(unfit.values()))
        if unfit:
            together = [each for each in together if not unfit.keys() & {*each}]
            warnings += [f"Left out: {refusal.message}" for refusal in unfit.values()]
            if not together:
                raise Refusal("nothing-to-do", " ".join(warnings), _LIST)
            members = read_members(database, together, profile.address_book)
    merged = plan_merge(members, kinds)
    into = "1 contact" if len(together) == 1 else f"{len(together):,} contacts"
    reason = None if sets is not None else merges_too_many(profile, merged.deactivated, members.active)
    line = by_hand.stage_changeset(
        store,
        merged.stage,
        snapshot=members.snapshot,
        profile=profile.name,
        address_book=profile.address_book,
        file_name=f"merge {merged.deactivated:,} into {into}",
        user_login=actor,
        deactivated=merged.deactivated,
        warnings=warnings,
        held=profile.finalize,
        approvals=profile.approvals,
        state="blocked" if reason else "staged",
        reason=reason,
    )
    return uploads.upload_of(store, line)


def _united(sets: Iterable[Collection[int]]) -> list[list[int]]:
    """The sets, with those that share a contact united.

    Raises:
        Refusal: a set has fewer than two contacts (code `set-too-small`).
    """
    set_of: dict[int, list[int]] = {}
    for each in sets:
        ids = {*each}
        if len(ids) < 2:
            message = f"A set of {listed(sorted(ids)) or 'no contact'} has nobody to merge."
            raise Refusal("set-too-small", message, "Name two contacts or more for each set.")
        joined = {*ids}.union(*(set_of.get(contact_id, ()) for contact_id in ids))
        whole = sorted(joined)
        set_of |= dict.fromkeys(whole, whole)
    return sorted({id(each): each for each in set_of.values()}.values())


def _check_mergeable(database: Database, profile: Profile, sets: Sequence[Sequence[int]]) -> None:
    """Tests that the named contacts can be merged.

    Raises:
        Refusal: a contact is unknown, erased, inactive or of another address book.
    """
    ids = [contact_id for each in sets for contact_id in each]
    if (book := by_hand.one_address_book(database, ids)) != profile.address_book:
        raise Refusal(
            "address-books",
            f"The contacts are of address book {book}; profile {profile.name} is of {profile.address_book}.",
            "Name a profile of that address book.",
        )
    inactive = database.rows(
        "SELECT contact_id FROM contacts WHERE NOT active AND contact_id IN (SELECT unnest(?)) ORDER BY contact_id",
        [ids],
    )
    if inactive:
        raise Refusal(
            "contact-inactive",
            f"Contact {listed([contact_id for (contact_id,) in inactive])} is deactivated.",
            "Reactivate it first, or leave it out.",
        )


def _unfit(members: Members, kinds: Mapping[str, pl.DataType]) -> dict[int, Refusal]:
    """The sets that cannot be merged: survivor → why."""
    stays = dict(winning(members.contacts, kinds).select("survivor", "account_number").iter_rows())
    survivor_of = dict(members.contacts.select("contact_id", "survivor").iter_rows())
    unfit = {
        survivor_of[contact_id]: Refusal(
            "account-left-alone",
            f"Contact {contact_id} is the last active one of an account that the others do not have.",
            "Give the account another contact first, or leave this one out.",
        )
        for number, contact_id in members.alone
        if stays[survivor_of[contact_id]] != number
    }
    several = members.linked.group_by("contact_id").agg(pl.col("survivor").unique().sort())
    for contact_id, survivors in several.filter(pl.col("survivor").list.len() > 1).sort("contact_id").iter_rows():
        refusal = Refusal(
            "sets-linked",
            f"Contact {contact_id} is linked with the sets of contacts {listed(survivors)}: they are one person.",
            "Name them as one set.",
        )
        unfit |= dict.fromkeys(survivors, refusal)
    return unfit


def _kinds(database: Database) -> dict[str, pl.DataType]:
    """Field → its type in a frame."""
    return {name: POLARS[SQL_TYPE[kind]] for name, kind in database.rows("SELECT name, kind FROM fields ORDER BY name")}
