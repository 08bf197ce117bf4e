"""What matching and applying mean, row by row in plain Python: a specification that runs, to compare the SQL with.

It shares no code with the stages; only the profile's own model is read. A contact or account that the upload makes is
called by the row that makes it ("row 7"); what there is already, by its id.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from contact_pipeline.profiles import AnyOf, MatchRule, Profile, RequiredWhen
from contact_pipeline.profiles.options import UploadOptions
from contact_pipeline.terms import ACCOUNT_FIELDS, CONTACT_FIELDS

Values = dict[str, Any]
Target = int | str
NAMES = {"name", "full_name", "first_name", "last_name"}


@dataclass(frozen=True)
class Row:
    """A row of the file after validation. A value is None where the cell is blank, "" where it says "nothing"."""

    number: int
    values: Values
    noted: dict[str, str] = field(default_factory=dict)  # cells that could not be imported → their note
    wrong: frozenset[str] | None = None  # set: the row is rejected; the fields that are in error

    def given(self) -> Values:
        """What the row says: a cell that could not be imported is absent, which is not the same as blank."""
        return {name: value for name, value in self.values.items() if name not in self.noted}


@dataclass(frozen=True)
class Entity:
    """A contact or an account as it stands."""

    id: int
    values: Values
    active: bool = True
    linked_to: int | None = None

    @property
    def person(self) -> int:
        """Contacts linked to each other are one person, represented by the oldest."""
        return self.linked_to or self.id


@dataclass
class Book:
    """One address book."""

    contacts: list[Entity] = field(default_factory=list)
    accounts: list[Entity] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What became of a row. It is said where the contact that it means is deactivated, and stays so."""

    outcome: str
    target: Target | None = None
    duplicate_of_row: int | None = None
    duplicate_of_contact: int | None = None
    of_deactivated: bool = False


@dataclass(frozen=True)
class Change:
    """What becomes of one contact or account: every field that differs, before and after."""

    entity: str
    target: Target
    action: Literal["create", "update", "reactivate", "deactivate"]
    row: int | None
    fields: dict[str, tuple[Any, Any]]


@dataclass
class Plan:
    """Everything that an upload would do."""

    outcomes: dict[int, Outcome] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    memberships: set[tuple[Target, str]] = field(default_factory=set)
    links: set[tuple[Target, int]] = field(default_factory=set)
    rejected: dict[int, str] = field(default_factory=dict)  # row → code, for what only matching can see
    rejected_without_key: int = 0


def together(plans: Iterable[Plan]) -> Plan:
    """What uploads do to address books that have nothing in common, as one."""
    made = Plan()
    for one in plans:
        made.outcomes |= one.outcomes
        made.changes += one.changes
        made.memberships |= one.memberships
        made.links |= one.links
        made.rejected |= one.rejected
        made.rejected_without_key += one.rejected_without_key
    return made


def plan(book: Book, rows: list[Row], profile: Profile, options: UploadOptions) -> Plan:
    """What an upload of these rows would do to the address book."""
    made = Plan()
    subjects = subjects_of(profile)
    valid = [row for row in rows if row.wrong is None]
    if profile.needs_account:
        known = {key("account_number", account.values) for account in book.accounts}
        unknown = [row.number for row in valid if key("account_number", row.given()) not in known]
        made.rejected |= dict.fromkeys(unknown, "account-unknown")

    while True:  # a row that clears what is required is rejected, and the others are judged without it
        valid = [row for row in valid if row.number not in made.rejected]
        decided = [judge(subject, book, valid) for subject in subjects]
        waiting = {number for decisions in decided for number, decision in decisions.items() if decision.review}
        repeated = later_rows(decided[0]) if profile.within_file == "reject_later" else {}
        leave_out = waiting | repeated.keys()
        written = [list(submissions(*which, valid, leave_out)) for which in zip(subjects, decided, strict=True)]
        clearing = [write.last for write in written[0] if clears_required(subjects[0], write, book, profile)]
        if not clearing:
            break
        made.rejected |= dict.fromkeys(clearing, "would-clear-required")
    made.rejected |= repeated

    for subject, writes in zip(subjects, written, strict=True):
        made.changes += [change for write in writes for change in changes_of(subject, write, book, profile, options)]
        if subject.entity == "contact" and subject.matched == "create":
            made.links |= {(f"row {write.row}", write.target) for write in writes if write.target is not None}
    created = [change for change in made.changes if change.entity == "contact" and change.action == "create"]
    made.memberships = {(change.target, options.group) for change in created if options.group}

    for row in rows:
        outcome = outcome_of(row, profile, subjects[0], decided[0], made, waiting)
        if outcome.outcome not in {"rejected", "review"}:
            left = [leaves_inactive(*which, row, book, options) for which in zip(subjects, decided, strict=True)]
            outcome = replace(outcome, of_deactivated=any(left))
        made.outcomes[row.number] = outcome
    if options.deactivate_missing:
        deactivate_missing(made, book, rows, subjects[0])
    return made


def later_rows(decisions: dict[int, Decision]) -> dict[int, str]:
    """The rows that mean whom another row of the file means already, where the profile rejects them."""
    later = [number for number, decision in decisions.items() if decision.later and not decision.review]
    return dict.fromkeys(later, "duplicate-in-file")


# What a row speaks of ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Subject:
    """The contact or the account of which a row speaks; a row of accounts may speak of a contact as well."""

    entity: Literal["contact", "account"]
    columns: dict[str, str]  # its field → the row's field
    rules: list[MatchRule]
    matched: str
    within_file: str
    blanks: dict[str, str]  # its field → what a blank does to a value that is there
    adds: frozenset[str] = frozenset()  # lists whose values join those that are there
    present: tuple[str, ...] = ()  # a row speaks of it only where one of these is filled

    def of(self, row: Row) -> Values | None:
        """What the row says of it, or None where it says nothing."""
        given = row.given()
        if self.present and all(given.get(name) is None for name in self.present):
            return None
        return {name: given[column] for name, column in self.columns.items() if column in given}

    def all_of(self, book: Book) -> list[Entity]:
        return book.contacts if self.entity == "contact" else book.accounts


def subjects_of(profile: Profile) -> list[Subject]:
    """The subject that decides the row's outcome, and the contact that an account's row may bring along."""
    blanks = {column.field: column.blank or profile.blank for column in profile.columns}
    fields = own_fields(profile)
    own = Subject(
        entity=profile.target,
        columns={name: name for name in fields},
        rules=profile.match,
        matched=profile.matched,
        within_file=profile.within_file,
        blanks=blanks,
        adds=frozenset(
            c.field
            for c in profile.columns
            if c.type == "list" and (c.lists == "add" or (c.lists is None and profile.matched == "merge"))
        ),
    )
    if not profile.account_contacts:
        return [own]
    people = profile.account_contacts
    theirs = {name: blanks[column] for name, column in people.fields.items()}
    return [
        own,
        Subject("contact", people.fields, people.match, "update", "first_wins", theirs, present=tuple(people.present)),
    ]


def own_fields(profile: Profile) -> list[str]:
    """The columns that speak of what the row is, not of a contact that an account's row brings along."""
    fields = [column.field for column in profile.columns]
    return [name for name in fields if name in ACCOUNT_FIELDS] if profile.account_contacts else fields


# Deciding ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decision:
    """Whom a row means: somebody there is (target), somebody new (leader: the row that makes it), or nobody can say."""

    target: int | None = None
    leader: int | None = None
    review: bool = False
    later: bool = False  # another row of the file counts for the same: an earlier one, or the last where that wins

    @property
    def reaches(self) -> tuple[int | None, int | None]:
        return self.target, self.leader


def judge(subject: Subject, book: Book, rows: Iterable[Row]) -> dict[int, Decision]:
    """Decides every row, in file order."""
    decisions: dict[int, Decision] = {}
    leaders: dict[int, Values] = {}
    reached = set()
    for row in rows:
        values = subject.of(row)
        if values is None:
            continue
        decision = decide(values, subject.all_of(book), subject.rules)
        if decision == NEW:
            decision = follow(values, leaders, subject.rules) or Decision(leader=row.number)
            if decision.leader == row.number:
                leaders[row.number] = values
        if not decision.review:
            decision = replace(decision, later=decision.reaches in reached)
            reached.add(decision.reaches)
        decisions[row.number] = decision
    if subject.within_file == "last_wins":
        last = {decision.reaches: number for number, decision in decisions.items() if not decision.review}
        for number, decision in decisions.items():
            decisions[number] = replace(decision, later=last.get(decision.reaches, number) != number)
    return decisions


NEW = Decision()
REVIEW = Decision(review=True)


def decide(row: Values, entities: list[Entity], rules: list[MatchRule]) -> Decision:
    """Whom among those there are a row means: the first rule that finds anybody decides."""
    for number, rule in enumerate(rules):
        found = [
            entity
            for entity in entities
            if shared(rule, row, entity.values) and differing(rules, number, row, entity.values) != "another"
        ]
        if not found:
            continue
        most = max(shared(rule, row, entity.values) for entity in found)
        found = [entity for entity in found if shared(rule, row, entity.values) == most]
        for step in rule.narrow:
            found = [entity for entity in found if same(step.field, row, entity.values)]
            if not found:
                return NEW if step.otherwise == "new" else REVIEW
        doubtful = any(differing(rules, number, row, entity.values) == "review" for entity in found)
        people = {entity.person for entity in found}
        return REVIEW if doubtful or len(people) > 1 else Decision(target=people.pop())
    return NEW


def follow(row: Values, leaders: dict[int, Values], rules: list[MatchRule]) -> Decision | None:
    """The earliest leader whose own submitted values match the row's by the same rules."""
    for leader, values in leaders.items():
        for number, rule in enumerate(rules):
            agrees = shared(rule, row, values) and all(same(step.field, row, values) for step in rule.narrow)
            differs = differing(rules, number, row, values)
            if agrees and differs != "another":
                return Decision(leader=leader, review=differs == "review")
    return None


def shared(rule: MatchRule, one: Values, other: Values) -> int:
    """How many of the rule's fields are filled and equal; 0 where the rule does not hold."""
    if rule.equal:
        return int(all(same(name, one, other) for name in rule.equal))
    count = sum(same(name, one, other) for name in rule.of)
    return count if rule.at_least and count >= rule.at_least else 0


def differing(rules: list[MatchRule], number: int, one: Values, other: Values) -> str:
    """What a key of an earlier rule that is filled on both sides and different makes of a candidate."""
    for earlier in rules[:number]:
        filled = all(key(name, side) for name in earlier.equal for side in (one, other))
        if earlier.equal and filled and not shared(earlier, one, other):
            return rules[number].higher_differs
    return "same"


def same(name: str, one: Values, other: Values) -> bool:
    """Whether two keys are equal; a blank equals nothing."""
    return key(name, one) is not None and key(name, one) == key(name, other)


def key(name: str, values: Values) -> str | None:
    """The form in which values are compared: trimmed, spaces collapsed, case-folded.

    Names are accent-folded too, where the script has accents; in them a hyphen counts as a space, and an apostrophe as
    nothing.
    """
    value = values.get(name)
    if name == "name":
        parts = (values.get("first_name"), values.get("last_name"))
        value = values.get("full_name") or " ".join(part for part in parts if part)
    folded = " ".join((value or "").split()).casefold()
    if name in NAMES:
        folded = unicodedata.normalize("NFC", "".join(without_marks(folded)))
        folded = " ".join(re.sub("[-‐‑–]", " ", re.sub("['’‘ʼ`´]", "", folded)).split())
    return folded or None


def without_marks(text: str) -> Iterator[str]:
    """The letters, without the marks of those whose script has accents."""
    base = ""
    for letter in unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text)):
        if not unicodedata.combining(letter):
            base = letter
        elif unicodedata.name(base, "").startswith(("LATIN", "GREEK")) or (base, letter) == ("е", "\u0308"):
            continue
        yield letter


# What is written -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Submission:
    """What the rows that reach the same target say of it together, under the number of the first."""

    row: int
    last: int
    target: int | None
    values: Values
    given: dict[str, list[Any]]  # every value given, in file order
    notes: list[str]
    columns: frozenset[str]  # that the file has


def submissions(
    subject: Subject, decisions: dict[int, Decision], rows: list[Row], leave_out: Iterable[int]
) -> Iterator[Submission]:
    """One submission per target: the first row's, or where the profile merges, all rows' together."""
    together: dict[tuple[int | None, int | None], list[Row]] = {}
    opted_out = {
        decisions[row.number].reaches
        for row in rows
        if row.number in decisions and not decisions[row.number].review
        if (subject.of(row) or {}).get("do_not_contact") is True
    }
    for row in rows:
        decision = decisions.get(row.number)
        if decision is None or decision.review or row.number in leave_out:
            continue
        if decision.later and subject.within_file != "merge":
            continue
        if subject.matched == "ignore" and decision.target is not None and decision.reaches not in opted_out:
            continue
        together.setdefault(decision.reaches, []).append(row)
    for reaches, several in together.items():
        target, _ = reaches
        values: Values = {}
        given: dict[str, list[Any]] = {}
        for row in several:
            said = subject.of(row) or {}
            values = merged(values, said, subject.blanks)
            for name, value in said.items():
                given.setdefault(name, []).append(value)
        notes = [note for row in several for note in row.noted.values()]
        columns = frozenset(several[0].values)
        if reaches in opted_out:
            values["do_not_contact"] = True
        if subject.matched == "ignore" and target is not None:
            values, given, notes = {"do_not_contact": True}, {}, []
        yield Submission(several[0].number, several[-1].number, target, values, given, notes, columns)


def merged(earlier: Values, later: Values, blanks: dict[str, str]) -> Values:
    """What two rows say together: the first value counts under `fill`, the last one otherwise."""
    together = dict(earlier)
    for name, value in later.items():
        if isinstance(value, list) or isinstance(together.get(name), list):
            together[name] = united(together.get(name), value)
        elif blanks[name] == "fill":
            together[name] = value if is_empty(together.get(name)) else together[name]
        elif value is not None or blanks[name] == "overwrite" or name not in together:
            together[name] = value
    return together


def united(there: list[Any] | None, more: list[Any] | None) -> list[Any]:
    """The values of two lists, each once."""
    return list(dict.fromkeys([*(there or []), *(more or [])]))


def is_empty(value: Any) -> bool:
    return value is None or value == ""


def written(there: Any, values: Values, name: str, blank: str, *, adds: bool) -> Any:
    """What a field holds afterwards. A column that is absent leaves it, "" (an explicit nothing) empties it.

    That a contact is not to be contacted stays; no case here has a profile that permits otherwise.
    """
    if name not in values or (name == "do_not_contact" and there is True):
        return there
    value = values[name]
    if name == "do_not_contact" and value is True:
        return True
    if adds:
        return united(there, value) or None
    if (blank == "fill" and there is not None) or (blank == "keep" and value is None):
        return there
    return None if is_empty(value) else value


def afterwards(subject: Subject, write: Submission, there: Values) -> Values:
    """Every field of the target, as a write leaves what is there."""
    return {
        name: written(there.get(name), write.values, name, subject.blanks[name], adds=name in subject.adds)
        for name in subject.columns
    }


def clears_required(subject: Subject, write: Submission, book: Book, profile: Profile) -> bool:
    """Whether a write would take from what is there something that the profile requires of it."""
    if write.target is None or subject.matched not in {"update", "merge"}:
        return False
    before = next(e.values for e in subject.all_of(book) if e.id == write.target)
    after = before | afterwards(subject, write, before)
    return any(has(rule, before) and applies(rule, after) and not has(rule, after) for rule in required(profile))


def required(profile: Profile) -> list[AnyOf | RequiredWhen]:
    """The required columns, but those that may say "nothing", and the rules by which something else is required."""
    known = {*(CONTACT_FIELDS if profile.target == "contact" else ACCOUNT_FIELDS), *own_fields(profile), "name"}
    columns: list[AnyOf | RequiredWhen] = [
        AnyOf(any_of=[[column.field]], message=column.heading)
        for column in profile.columns
        if column.required and column.nothing is None
    ]
    rules = [*columns, *(rule for rule in profile.rules if isinstance(rule, AnyOf | RequiredWhen))]
    return [rule for rule in rules if {*rule.fields} <= known]


def has(rule: AnyOf | RequiredWhen, values: Values) -> bool:
    """Whether what the rule asks for is there."""
    sets = rule.any_of if isinstance(rule, AnyOf) else [[rule.required]]
    return any(all(filled(name, values) for name in group) for group in sets)


def applies(rule: AnyOf | RequiredWhen, values: Values) -> bool:
    """Whether the rule asks for anything."""
    if isinstance(rule, AnyOf):
        return not rule.when_any or any(filled(name, values) for name in rule.when_any)
    return all(values.get(name) in wanted if wanted else filled(name, values) for name, wanted in rule.when.items())


def filled(name: str, values: Values) -> bool:
    """Whether a field holds something; a name is a whole one or any part of one."""
    fields = ("full_name", "first_name", "last_name") if name == "name" else (name,)
    return any(not is_empty(values.get(field)) for field in fields)


def reactivates(subject: Subject, options: UploadOptions) -> bool:
    """Whether a deactivated contact that a row means is active afterwards."""
    return options.reactivate and subject.entity == "contact" and subject.matched in {"update", "merge"}


def leaves_inactive(
    subject: Subject, decisions: dict[int, Decision], row: Row, book: Book, options: UploadOptions
) -> bool:
    """Whether a row means a deactivated contact that stays so."""
    if row.number not in decisions or subject.entity != "contact" or reactivates(subject, options):
        return False
    return any(c.id == decisions[row.number].target and not c.active for c in book.contacts)


def changes_of(
    subject: Subject, write: Submission, book: Book, profile: Profile, options: UploadOptions
) -> Iterator[Change]:
    """The one change that a target gets, if any field differs."""
    new = write.target is None or subject.matched == "create"
    entity = None if new else next(e for e in subject.all_of(book) if e.id == write.target)
    there = entity.values if entity else {}
    after = afterwards(subject, write, there)
    if new and subject.entity == profile.target:
        for name, value in set_when_new(profile, options).items():
            after[name] = after.get(name) if after.get(name) is not None else value
    if subject.entity == profile.target and takes_notes(profile):
        after["notes"] = with_notes(there, after, write, profile)
    fields = {name: (there.get(name), value) for name, value in after.items() if there.get(name) != value}
    if new:
        if subject.entity == "contact":
            fields["active"] = (None, True)
        yield Change(subject.entity, f"row {write.row}", "create", write.row, fields)
    elif entity and not entity.active and reactivates(subject, options):
        yield Change(subject.entity, entity.id, "reactivate", write.row, fields | {"active": (False, True)})
    elif entity and fields:
        yield Change(subject.entity, entity.id, "update", write.row, fields)


def set_when_new(profile: Profile, options: UploadOptions) -> Values:
    """What only something new gets: what a blank means, and the module that the lead type decides."""
    values: Values = {column.field: column.default for column in profile.columns if column.default is not None}
    if options.lead_type:
        values |= {"lead_type": options.lead_type, "module": profile.lead_types[options.lead_type]}
    return values


# Notes ---------------------------------------------------------------------------------------------------------------


def takes_notes(profile: Profile) -> bool:
    """Whether what was not imported, or what a merge displaced, is kept in the notes."""
    return profile.on_error == "note" or merges(profile)


def merges(profile: Profile) -> bool:
    return "merge" in (profile.matched, profile.within_file)


def with_notes(there: Values, after: Values, write: Submission, profile: Profile) -> list[str] | None:
    """The notes afterwards: those there were, and each new one once; the file's own come first."""
    notes = list(there.get("notes") or [])
    own = [note for given in write.given.get("notes", []) for note in given or []]
    for note in [*own, *write.notes, *displaced_notes(there, after, write, profile)]:
        if note not in notes:
            notes.append(note)
    return notes or None


def displaced_notes(there: Values, after: Values, write: Submission, profile: Profile) -> Iterator[str]:
    """A note for every value that was there or given and is not what the field holds now; none for sensitive ones."""
    if not merges(profile):
        return
    whole = "full_name" in write.columns
    for column in profile.columns:
        name = column.field
        in_parts = whole and name in {"first_name", "last_name"}
        if column.sensitive or in_parts or profile.row_fields[name] != "text":
            continue
        for value in [there.get(name), *write.given.get(name, [])]:
            if value and value != after.get(name):
                yield f"[merge] {column.heading}: {value}"


# Outcomes ------------------------------------------------------------------------------------------------------------


def outcome_of(
    row: Row, profile: Profile, subject: Subject, decisions: dict[int, Decision], made: Plan, waiting: set[int]
) -> Outcome:
    """Exactly one outcome. The row that counts among those that reach a target carries what becomes of it."""
    if row.wrong is not None or row.number in made.rejected:
        return Outcome("rejected")
    if row.number in waiting:
        return Outcome("review")
    decision = decisions[row.number]
    first = next(n for n, d in decisions.items() if not d.review and not d.later and d.reaches == decision.reaches)
    change = next((c for c in made.changes if c.entity == subject.entity and c.row == first), None)
    ignored = decision.target is not None and profile.matched == "ignore"
    if ignored and (decision.later or change is None):
        return Outcome("duplicate", decision.target, duplicate_of_contact=decision.target)
    target = change.target if change else decision.target
    if decision.later:
        return Outcome("duplicate", target, duplicate_of_row=first)
    if decision.target is None:
        return Outcome("created", target)
    if profile.matched == "create":
        return Outcome("linked", target)
    return Outcome("updated" if change else "unchanged", target)


# Contacts that are not in the file -----------------------------------------------------------------------------------


def deactivate_missing(made: Plan, book: Book, rows: list[Row], subject: Subject) -> None:
    """Deactivates the active contacts that no usable key of any row reaches; a rejected row's keys count as well."""
    submitted = [(row, usable(row)) for row in rows]
    reached = {
        contact.person
        for contact in book.contacts
        for _, values in submitted
        if any(shared(rule, values, contact.values) for rule in subject.rules)
    }
    made.changes += [
        Change("contact", contact.id, "deactivate", None, {"active": (True, False)})
        for contact in book.contacts
        if contact.active and contact.person not in reached
    ]
    rejected = [values for row, values in submitted if row.wrong is not None or row.number in made.rejected]
    made.rejected_without_key = sum(not any(shared(rule, v, v) for rule in subject.rules) for v in rejected)


def usable(row: Row) -> Values:
    """The row's cells but those that are in error."""
    bad = (row.wrong or frozenset()) | row.noted.keys()
    return {name: value for name, value in row.values.items() if name not in bad}


# Applying ------------------------------------------------------------------------------------------------------------


def apply(entities: list[Entity], changes: list[Change], entity: str, ids: dict[str, int]) -> dict[int, Values]:
    """The table afterwards: id → values, `active` and `revision` among them.

    Args:
        entities: as they stand, each at revision 1.
        changes: of the plan.
        entity: which of them to apply.
        ids: "row n" → the id that was given to what the row made.
    """
    canonical = CONTACT_FIELDS if entity == "contact" else ACCOUNT_FIELDS
    blank: Values = dict.fromkeys(canonical) | ({"active": None} if entity == "contact" else {})
    table = {e.id: blank | e.values | ({"active": e.active} if entity == "contact" else {}) for e in entities}
    for values in table.values():
        values["revision"] = 1
    for change in changes:
        if change.entity == entity:
            target = ids[change.target] if isinstance(change.target, str) else change.target
            before = table.get(target, blank | {"revision": 0})
            after = {name: value for name, (_, value) in change.fields.items()}
            table[target] = before | after | {"revision": before["revision"] + 1}
    return table
