"""Matching as a list of steps. Each names the tables that it reads and makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from contact_pipeline.engines import Tables
from contact_pipeline.match import changeset, outcomes, resolutions, rows, snapshot
from contact_pipeline.match.decide import decide, make_by_keys, make_pairs
from contact_pipeline.match.defects import begin_defects, unite_defects
from contact_pipeline.match.erased import copy_fingerprints, make_erased, warn_of_erased
from contact_pipeline.match.in_turn import decide_in_turn
from contact_pipeline.match.keys import make_keys
from contact_pipeline.match.linked import copy_linked, spread_wishes
from contact_pipeline.match.part import Part
from contact_pipeline.match.required import reject_clearing
from contact_pipeline.match.reviews import make_reviews
from contact_pipeline.match.targets import gather_rows, make_consents, make_targets
from contact_pipeline.profiles import Profile
from contact_pipeline.profiles.options import UploadOptions
from contact_pipeline.settings import Settings
from contact_pipeline.store import Store
from contact_pipeline.store.ledger import take_numbers
from contact_pipeline.store.schema import check_contact_fields, keep_contact_fields

DEFECTS = "match_defects"


@dataclass(frozen=True, slots=True)
class Matching:
    """All that matching an upload needs.

    Attributes:
        store: whose contacts are matched.
        profile: as it holds for the upload.
        options: of the upload.
        upload_id: under which decisions of people about the upload's rows are stored.
        columns: fields of the normalized rows.
        parts: the parts of a row, the primary one first.
    """

    store: Store
    profile: Profile
    options: UploadOptions
    upload_id: str
    columns: tuple[str, ...]
    parts: tuple[Part, ...]

    @property
    def primary(self) -> Part:
        """The part that a row is about."""
        return self.parts[0]

    @property
    def contact(self) -> Part | None:
        """The part of contacts, if a row has one."""
        return self.parts[-1] if self.parts[-1].entity == "contact" else None


@dataclass(frozen=True, slots=True)
class Step:
    """A step of matching.

    Attributes:
        does: the step in words.
        run: performs the step in the staging database.
        reads: tables that the step reads; those of the contact database have the prefix `book`.
        makes: tables and views that the step makes anew. No other step changes them.
        adds: whether the step adds defects to match_defects.
        loops: whether the step goes through rows one after the other.
    """

    does: str
    run: Callable[[Tables], object]
    reads: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()
    adds: bool = False
    loops: bool = False

    @property
    def reads_contacts(self) -> bool:
        """Whether the step reads the contact database."""
        return any(table.startswith("book.") for table in self.reads)


def to_changeset(matching: Matching) -> list[Step]:
    """The steps from valid rows to the changeset, in order.

    The steps that read the contact database are neighbours, so that it is opened once.
    """
    return [*_prepare(matching), *_copy(matching), *_decide(matching), *_review(matching), *_change(matching)]


def to_outcomes(matching: Matching) -> list[Step]:
    """The steps from the changeset to the outcome of each row. The changeset is hashed meanwhile."""
    return [*_report(matching)]


def perform(step: Step, database: Tables) -> None:
    """Runs a step."""
    step.run(database)


def _prepare(matching: Matching) -> Iterator[Step]:
    """The rows that take part, and their keys."""
    parts, present = matching.parts, matching.options.deactivate_missing
    cleaned = ("left_out", "cleaned_rows")
    yield Step("take back what an earlier matching found", begin_defects, ("rejections",), (DEFECTS, "rejections"))
    yield Step(
        "leave out rows with an error, rows that somebody left out, and cells that went to the notes",
        partial(rows.make_cleaned_rows, columns=matching.columns),
        ("normalized_rows", "noted_cells", "rejections", "left_out_rows", DEFECTS),
        cleaned,
    )
    for part in parts:
        yield _of(part, "name columns as fields of the {entity}", rows.make_part_rows, ("cleaned_rows",), ("*rows",))
    if present:
        yield Step(
            "work out the keys of rows left out: whom they mean is present",
            partial(rows.make_present_keys, part=parts[0]),
            ("normalized_rows", "rejections", "left_out"),
            ("present_rows", "present_keys"),
        )
    for part in parts:
        yield _of(
            part,
            "work out the keys by which rows are compared",
            partial(make_keys, present=present and part.primary),
            ("*rows", "left_out", *(["present_keys"] if present and part.primary else [])),
            ("*keys", "*row_keys"),
        )
    if present:
        yield _of(
            parts[0],
            "list rows without a key: nobody can say whom they mean",
            rows.make_keyless,
            ("rejections", "left_out_rows", "present_keys", "*row_keys"),
            ("keyless",),
        )


def _copy(matching: Matching) -> Iterator[Step]:
    """Copies of what matching needs from the contact database."""
    book = matching.profile.address_book
    row_keys = tuple(part.table("row_keys") for part in matching.parts)
    yield Step(
        "test that each field has the same kind in the upload and in the contacts",
        partial(_check_fields, matching=matching),
        ("book.fields",),
        ("contact_fields",),
    )
    yield Step(
        "copy what people decided: about this upload, or about rows with the same keys",
        partial(resolutions.copy_resolutions, parts=matching.parts, upload_id=matching.upload_id, address_book=book),
        (*row_keys, *(f"book.{table}" for table in resolutions.READ)),
        ("resolutions",),
    )
    yield Step(
        "copy the fingerprints of people who were erased",
        partial(copy_fingerprints, book="book."),
        ("book.fingerprints",),
        ("erased_people",),
    )
    for part in matching.parts:
        stored = f"book.{part.entity}s"
        yield _of(
            part,
            "find every {entity} that agrees with a row by a rule",
            partial(make_pairs, address_book=book),
            ("*row_keys", stored, "book.links"),
            ("*pairs",),
        )
        yield _of(
            part,
            "find the contacts that are linked with those",
            copy_linked,
            ("*pairs", "*rows", "resolutions", "book.links", "book.contacts"),
            ("*linked",),
        )
        yield _of(
            part,
            "copy each {entity} that a row could be",
            snapshot.copy_candidates,
            ("*pairs", "*linked", "resolutions", stored),
            ("*candidates",),
        )
    if matching.options.deactivate_missing:
        yield _of(
            matching.primary,
            "list the active contacts that no row reaches",
            partial(snapshot.make_missing, address_book=book),
            ("*pairs", "*linked", "book.contacts", "book.links"),
            ("missing",),
        )
    yield Step(
        "list the contacts that are in the upload's group already",
        partial(snapshot.make_in_group, address_book=book, group=matching.options.group),
        ("book.memberships",),
        ("in_group",),
    )
    if matching.profile.needs_account:
        yield Step(
            "list the stored accounts",
            partial(snapshot.make_known_accounts, part=matching.primary, address_book=book),
            ("book.accounts",),
            ("known_accounts",),
        )
    yield Step(
        "count the stored contacts or accounts, and note the newest commit",
        partial(snapshot.make_counted, address_book=book, entity=matching.primary.entity),
        ("book.commits", "book.contacts", f"book.{matching.primary.entity}s"),
        ("counted",),
    )


def _decide(matching: Matching) -> Iterator[Step]:
    """Whom each row means."""
    parts, settings = matching.parts, matching.store.settings
    if matching.profile.needs_account:
        yield _of(
            parts[0],
            "reject rows that name an unknown account",
            outcomes.reject_unknown_accounts,
            ("*rows", "left_out", "known_accounts"),
            ("named_accounts",),
            adds=True,
        )
    for part in parts:
        yield _of(
            part, "leave out rows that a person skipped", resolutions.skip_rows, ("resolutions", "*row_keys"), adds=True
        )
    for part in parts:
        yield _of(
            part,
            "decide by the keys alone",
            make_by_keys,
            ("*row_keys", "*pairs", "left_out"),
            ("*by_keys",),
        )
        yield _of(
            part,
            "find rows that would be new but belong to an erased person",
            partial(_make_erased, settings=settings),
            ("*row_keys", "*by_keys", "erased_people"),
            ("*erased",),
        )
        yield _of(
            part,
            "decide: erasures override the keys, decisions of people override both",
            decide,
            ("*by_keys", "*erased", "resolutions"),
            ("*decisions",),
        )
    each = ("row_keys", "rows", "pairs", "candidates", "decisions", "erased")
    yield Step(
        "decide rows one after the other where earlier rows of the file could change the decision",
        partial(decide_in_turn, parts=parts, settings=settings),
        ("left_out", "resolutions", "erased_people", *(part.table(name) for part in parts for name in each)),
        ("rows_in_turn", *(part.table(name) for part in parts for name in ("in_turn", "doubts", "was_erased"))),
        adds=True,
        loops=True,
    )


def _review(matching: Matching) -> Iterator[Step]:
    """Which rows are in review."""
    parts = matching.parts
    for part in parts:
        yield _of(
            part, "gather the rows that mean the same {entity}", make_targets, ("*decisions", "*in_turn"), ("*targets",)
        )
    for part in parts:
        yield _of(
            part, "leave out rows in review that a person skipped in an earlier upload", resolutions.skip_rows_again,
            ("resolutions", "*targets"), adds=True,
        )  # fmt: skip
    each = ("targets", "row_keys", "pairs", "candidates", "doubts", "was_erased")
    yield Step(
        "list the rows in review, and whom each could be",
        partial(make_reviews, parts=parts),
        ("rows_in_turn", "left_out", *(part.table(name) for part in parts for name in each)),
        ("review_candidates", "reviews"),
    )


def _change(matching: Matching) -> Iterator[Step]:
    """The change of each target."""
    parts = matching.parts
    for part in parts:
        if len(part.rules) > 1:
            yield _of(
                part,
                "warn of rows that a later rule takes for somebody else",
                outcomes.warn_of_others,
                ("*pairs", "*targets", "resolutions"),
                adds=True,
            )
    if parts[0].within_file == "reject_later":
        yield _of(
            parts[0], "reject every row of a target but the first", outcomes.reject_later_rows, ("*targets",),
            adds=True,
        )  # fmt: skip
    for part in parts:
        yield _of(
            part,
            "list the targets with a row that asks not to contact them",
            make_consents,
            ("*targets", "*rows"),
            ("*consents",),
        )
        yield _of(
            part,
            "join the values that the rows of a target give",
            gather_rows,
            ("*targets", "*consents", "*rows", "*candidates", "reviews", "left_out"),
            ("*gathered", "*merged"),
        )
    yield _of(
        parts[0],
        "reject rows that would clear what is required",
        reject_clearing,
        ("*gathered", "*candidates", "rows_in_turn"),
        adds=True,
    )
    for part in parts:
        yield _of(
            part,
            "carry the wish not to be contacted to linked contacts",
            spread_wishes,
            ("*gathered", "*linked", "*targets"),
            ("*wishes", "*wishing", "*writes"),
        )
    if matching.contact:
        yield _of(
            matching.contact, "warn of rows that belong to an erased person", warn_of_erased,
            ("*was_erased", "reviews"), adds=True,
        )  # fmt: skip
    for part in parts:
        missing = matching.options.deactivate_missing and part.entity == "contact"
        yield _of(
            part,
            "warn where a wish not to be contacted overrides the profile",
            changeset.warn_of_consents,
            ("*writes", "*candidates", "*wishes"),
            adds=True,
        )
        yield _of(part, "number each new {entity}", changeset.make_creations, ("*writes",), ("*creations",))
        yield _of(
            part,
            "make the changes, each with the fields that differ",
            partial(_make_changes, store=matching.store, missing=missing),
            ("*writes", "*candidates", "*creations", "*wishes", *(["missing"] if missing else [])),
            ("*changes",),
        )
    if contact := matching.contact:
        group = matching.profile.group
        yield _of(
            contact,
            "list who joins the upload's group",
            partial(
                changeset.make_memberships, group=matching.options.group, members=group.members if group else "created"
            ),
            ("*changes", "*targets", "in_group", "reviews", "left_out"),
            ("membership_changes",),
        )
        yield _of(
            contact, "list whom new contacts are linked with", changeset.make_links, ("*changes", "*writes"),
            ("link_changes",),
        )  # fmt: skip


def _report(matching: Matching) -> Iterator[Step]:
    """The outcome of each row."""
    parts, primary = matching.parts, matching.primary
    yield Step("add the defects to those of validation", unite_defects, (DEFECTS,), ("rejections",))
    yield Step(
        "list the outcome of each row",
        partial(outcomes.make_outcomes, parts=parts),
        (
            "rejections",
            "left_out_rows",
            "blank_rows",
            "reviews",
            *(primary.table(name) for name in ("targets", "changes", "wishes")),
            *(part.table(name) for part in parts if part.entity == "contact" for name in ("targets", "candidates")),
        ),
        ("outcome_rows",),
    )


def _of(
    part: Part,
    does: str,
    run: Callable[..., object],
    reads: tuple[str, ...] = (),
    makes: tuple[str, ...] = (),
    *,
    adds: bool = False,
) -> Step:
    """A step of one part; `*` in the name of a table stands for <entity>_."""

    def named(tables: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(part.table(name[1:]) if name.startswith("*") else name for name in tables))

    return Step(does.format(entity=part.entity), partial(run, part=part), named(reads), named(makes), adds)


def _check_fields(database: Tables, matching: Matching) -> None:
    people = [part for part in matching.parts if part.entity == "contact"]
    written = {name: kind for part in people for name, kind in part.stored.items()}
    weighed = {name: kind for part in people for name, kind in part.weighed.items()}
    keep_contact_fields(database, written, {name for part in matching.parts for name in part.sensitive})
    check_contact_fields(database, written | weighed, "book.")


def _make_erased(database: Tables, part: Part, settings: Settings) -> None:
    make_erased(database, part, settings, part.table("row_keys"), part.table("by_keys"), part.table("erased"))


def _make_changes(database: Tables, part: Part, store: Store, *, missing: bool) -> None:
    """Reserves ids for new contacts or accounts, and makes the changes."""
    wanted: int = database.value(f"SELECT count(*) FROM {part.table('creations')}")
    with store.change() as contacts:
        first = take_numbers(contacts, part.entity, wanted)
    changeset.make_changes(database, part, first, missing=missing)
