"""What matching and applying mean, row by row in plain Python: a specification that runs, to compare the SQL with.

It shares no code with the stages; only the profile's own model is read. A contact or account that the upload makes is
called by the row that makes it ("row 7"); what there is already, by its id.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
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
    """The outcome of a row, and whether the contact that it means is deactivated and stays so."""

    outcome: str
    target: Target | None = None
    duplicate_of_row: int | None = None
    duplicate_of_contact: int | None = None
    of_deactivated: bool = False


@dataclass(frozen=True)
class Change:
    """The change of one contact or account: every field that differs, before and after."""

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
    """The effects of uploads on separate address books, put together."""
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
    sides = [Side(subject, book, profile, options) for subject in subjects_of(profile)]
    waiting = take_in_turn(made, sides, book, [row for row in rows if row.wrong is None], profile)
    for side in sides:
        made.changes += [change for standing in side.standing for change in side.changes_of(standing)]
        made.links |= side.links()
    created = [change for change in made.changes if change.entity == "contact" and change.action == "create"]
    made.memberships = {(change.target, options.group) for change in created if options.group}

    for row in rows:
        outcome = outcome_of(row, profile, sides[0], made, waiting)
        if outcome.outcome not in {"rejected", "review"}:
            outcome = replace(outcome, of_deactivated=any(side.leaves_inactive(row, book) for side in sides))
        made.outcomes[row.number] = outcome
    if options.deactivate_missing:
        deactivate_missing(made, book, rows, sides[0].subject)
    return made


def take_in_turn(made: Plan, sides: list[Side], book: Book, rows: list[Row], profile: Profile) -> set[int]:
    """Applies the rows one after the other, as if each had its own file; gives the rows in review."""
    waiting = set()
    known = {key("account_number", account.values) for account in book.accounts}
    for row in rows:
        if profile.needs_account and key("account_number", row.given()) not in known:
            made.rejected[row.number] = "account-unknown"
            continue
        in_doubt = [side.decide(row) for side in sides]
        if any(in_doubt):
            waiting.add(row.number)
        elif code := sides[0].objection(row):
            made.rejected[row.number] = code
        else:
            for side in sides:
                side.take(row)
    return waiting


# What a row speaks of ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Subject:
    """A part of a row: a contact or an account; a row of accounts may have both."""

    entity: Literal["contact", "account"]
    columns: dict[str, str]  # its field → the row's field
    rules: list[MatchRule]
    matched: str
    within_file: str
    blanks: dict[str, str]  # its field → what a blank does to a value that is there
    adds: frozenset[str] = frozenset()  # lists whose values join those that are there
    present: tuple[str, ...] = ()  # a row speaks of it only where one of these is filled

    def of(self, row: Row) -> Values | None:
        """The row's values for this part, or None if it has none."""
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
    """The columns of the first part, without those of a contact that an account's row brings along."""
    fields = [column.field for column in profile.columns]
    return [name for name in fields if name in ACCOUNT_FIELDS] if profile.account_contacts else fields


# Deciding ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decision:
    """Whom a row means: an existing contact (its id, or "row n" that made it), or undecided."""

    person: Target | None = None
    review: bool = False


NEW = Decision()
REVIEW = Decision(review=True)


@dataclass
class Step:
    """The effect of a row that counts on its target: every field before, as given, and afterwards."""

    row: Row
    given: Values
    before: Values
    after: Values


@dataclass
class Standing:
    """A contact or an account as the rows so far have left it, or made it."""

    person: Target
    values: Values
    before: Values | None = None  # as it stood; None: it is new
    id: int | None = None
    active: bool = True
    steps: list[Step] = field(default_factory=list)
    opted_out: bool = False


@dataclass
class Side:
    """One part of all rows: whom each row means and what it changes, one row after the other."""

    subject: Subject
    book: Book
    profile: Profile
    options: UploadOptions
    standing: list[Standing] = field(default_factory=list)
    decisions: dict[int, Decision] = field(default_factory=dict)
    reached: dict[Target, list[int]] = field(default_factory=dict)  # person → the rows that mean it

    def __post_init__(self) -> None:
        for entity in self.subject.all_of(self.book):
            standing = Standing(entity.person, dict(entity.values), dict(entity.values), entity.id, entity.active)
            self.standing.append(standing)

    def decide(self, row: Row) -> bool:
        """Decides a row; gives whether a person must judge it."""
        values = self.subject.of(row)
        if values is None:
            return False
        self.decisions[row.number] = decide(values, self.standing, self.subject.rules)
        return self.decisions[row.number].review

    def objection(self, row: Row) -> str | None:
        """Why a decided row is rejected: it repeats another row, or clears a required value."""
        if row.number not in self.decisions:
            return None
        person = self.decisions[row.number].person
        if self.subject.within_file == "reject_later" and person in self.reached:
            self.opt_out(row)
            return "duplicate-in-file"
        target = None if person is None else self.written(person)
        if target is None or self.subject.matched not in {"update", "merge"}:
            return None
        after = target.values | self.afterwards(row, target.values, target.steps)
        clears = any(
            has(rule, target.values) and applies(rule, after) and not has(rule, after)
            for rule in required(self.profile)
        )
        return "would-clear-required" if clears else None

    def take(self, row: Row) -> None:
        """Changes the row's target as the row says, as far as the profile allows."""
        if row.number not in self.decisions:
            return
        person = self.decisions[row.number].person
        if person is None:
            person = f"row {row.number}"
            self.decisions[row.number] = Decision(person)
        later, target = person in self.reached, self.written(person)
        self.reached.setdefault(person, []).append(row.number)
        if target is not None:
            self.write(row, target)
        elif not later and not self.is_left(person):
            self.make(row, person)
        self.opt_out(row)

    def is_left(self, person: Target) -> bool:
        """Whether an existing contact or account stays as it is, whatever rows say."""
        return isinstance(person, int) and self.subject.matched == "ignore"

    def written(self, person: Target) -> Standing | None:
        """The target that a further row of that person would change, or None."""
        if self.is_left(person):
            return None
        later = person in self.reached
        if later and self.subject.within_file not in {"merge", "last_wins"}:
            return None
        if isinstance(person, str) or self.subject.matched == "create":
            made = [one for one in self.standing if one.before is None and one.person == person]
            return made[0] if made else None
        return next(one for one in self.standing if one.id == person)

    def write(self, row: Row, target: Standing) -> None:
        given = self.subject.of(row) or {}
        after = target.values | self.afterwards(row, target.values, target.steps)
        target.steps.append(Step(row, given, target.values, after))
        target.values = after

    def make(self, row: Row, person: Target) -> None:
        given = self.subject.of(row) or {}
        values = self.afterwards(row, {})
        if self.subject.entity == self.profile.target:
            for name, value in set_when_new(self.profile, self.options).items():
                values[name] = values.get(name) if values.get(name) is not None else value
        self.standing.append(Standing(person, values, steps=[Step(row, given, {}, values)]))

    def opt_out(self, row: Row) -> None:
        """A wish not to be contacted counts, also of a row that does not; every contact of the person gets it."""
        if (self.subject.of(row) or {}).get("do_not_contact") is not True:
            return
        person = self.decisions[row.number].person
        for one in self.standing:
            if one.person == person:
                one.opted_out = True

    def afterwards(self, row: Row, there: Values, steps: Sequence[Step] = ()) -> Values:
        """Every field of the target, as a row leaves what is there and what the steps before have made of it.

        Rows that are merged say together what is in a list.
        """
        given, after = self.subject.of(row) or {}, {}
        for name in self.subject.columns:
            before, values = there.get(name), given
            lists = [step.given.get(name) for step in steps] if self.subject.within_file == "merge" else []
            if any(isinstance(value, list) for value in [*lists, given.get(name) if lists else None]):
                before, all_said = steps[0].before.get(name), given.get(name)
                for value in reversed(lists):
                    all_said = united(value, all_said)
                values = given | {name: all_said}
            adds = name in self.subject.adds
            after[name] = written(before, values, name, self.subject.blanks[name], adds=adds)
        return after

    def counting(self, person: Target) -> int:
        """The one row that counts, of the rows that mean the same contact."""
        return self.reached[person][-1 if self.subject.within_file == "last_wins" else 0]

    def name(self, standing: Standing) -> Target:
        return f"row {self.counting(standing.person)}" if standing.id is None else standing.id

    def links(self) -> set[tuple[Target, int]]:
        """Under `create`, each contact that is made of a row that means somebody there is, and whom it means."""
        new = [one for one in self.standing if one.before is None]
        return {(self.name(one), one.person) for one in new if isinstance(one.person, int)}

    def carries_a_wish(self, standing: Standing) -> bool:
        """Whether a new contact is linked with a person who asked, by any contact, not to be contacted."""
        if standing.before is not None or not isinstance(standing.person, int):
            return False
        there = [one for one in self.standing if one.before is not None and one.person == standing.person]
        return any(one.values.get("do_not_contact") is True for one in there)

    def leaves_inactive(self, row: Row, book: Book) -> bool:
        """Whether a row means a deactivated contact that stays so."""
        if row.number not in self.decisions or self.subject.entity != "contact":
            return False
        if reactivates(self.subject, self.options):
            return False
        return any(c.id == self.decisions[row.number].person and not c.active for c in book.contacts)

    def changes_of(self, standing: Standing) -> Iterator[Change]:
        """The one change that a target gets, if any field differs."""
        entity, there = self.subject.entity, standing.before or {}
        if not standing.steps and not standing.opted_out:
            return
        after = dict(standing.values)
        if standing.opted_out or self.carries_a_wish(standing):
            after["do_not_contact"] = True
        if standing.steps and entity == self.profile.target and takes_notes(self.profile):
            after["notes"] = with_notes(there, standing.steps, self.profile)
        fields = {name: (there.get(name), value) for name, value in after.items() if there.get(name) != value}
        row, target = self.counting(standing.person), self.name(standing)
        if standing.before is None:
            if entity == "contact":
                fields["active"] = (None, True)
            yield Change(entity, target, "create", row, fields)
        elif standing.steps and not standing.active and reactivates(self.subject, self.options):
            yield Change(entity, target, "reactivate", row, fields | {"active": (False, True)})
        elif fields:
            yield Change(entity, target, "update", row, fields)


def decide(row: Values, standing: list[Standing], rules: list[MatchRule]) -> Decision:
    """The existing contact that a row means: the first rule that finds anybody decides."""
    for number, rule in enumerate(rules):
        found = [
            one
            for one in standing
            if shared(rule, row, one.values) and differing(rules, number, row, one.values) != "another"
        ]
        if not found:
            continue
        most = max(shared(rule, row, one.values) for one in found)
        found = [one for one in found if shared(rule, row, one.values) == most]
        for step in rule.narrow:
            found = [one for one in found if same(step.field, row, one.values)]
            if not found:
                return NEW if step.otherwise == "new" else REVIEW
        doubtful = any(differing(rules, number, row, one.values) == "review" for one in found)
        people = {one.person for one in found}
        return REVIEW if doubtful or len(people) > 1 else Decision(people.pop())
    return NEW


def shared(rule: MatchRule, one: Values, other: Values) -> int:
    """How many of the rule's fields are filled and equal; 0 where the rule does not hold."""
    if rule.equal:
        return int(all(same(name, one, other) for name in rule.equal))
    count = sum(same(name, one, other) for name in rule.of)
    return count if rule.at_least and count >= rule.at_least else 0


def differing(rules: list[MatchRule], number: int, one: Values, other: Values) -> str:
    """The effect on a candidate of a key of an earlier rule that is filled on both sides and differs."""
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
    """Whether the value that the rule asks for is there."""
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


def set_when_new(profile: Profile, options: UploadOptions) -> Values:
    """The values that only a new contact gets: defaults, and the module that the lead type decides."""
    values: Values = {column.field: column.default for column in profile.columns if column.default is not None}
    if options.lead_type:
        values |= {"lead_type": options.lead_type, "module": profile.lead_types[options.lead_type]}
    return values


# Notes ---------------------------------------------------------------------------------------------------------------


def takes_notes(profile: Profile) -> bool:
    """Whether a value that was not imported, or that a merge displaced, is kept in the notes."""
    return profile.on_error == "note" or merges(profile)


def merges(profile: Profile) -> bool:
    return "merge" in (profile.matched, profile.within_file)


def with_notes(there: Values, steps: list[Step], profile: Profile) -> list[str] | None:
    """The notes afterwards: those there were, and each new one once; the file's own come first."""
    notes = list(there.get("notes") or [])
    own = [note for step in steps for note in step.given.get("notes") or []]
    noted = [note for step in steps for note in step.row.noted.values()]
    for note in [*own, *noted, *displaced_notes(steps, profile)]:
        if note not in notes:
            notes.append(note)
    return notes or None


def displaced_notes(steps: list[Step], profile: Profile) -> Iterator[str]:
    """A note for every value that was there or given when a row came, and is not what the field held after that row.

    None for sensitive ones.
    """
    if not merges(profile):
        return
    whole = "full_name" in steps[0].row.values
    for column in profile.columns:
        name = column.field
        in_parts = whole and name in {"first_name", "last_name"}
        if column.sensitive or in_parts or profile.row_fields[name] != "text":
            continue
        for step in steps:
            for value in (step.before.get(name), step.given.get(name)):
                if value and value != step.after.get(name):
                    yield f"[merge] {column.heading}: {value}"


# Outcomes ------------------------------------------------------------------------------------------------------------


def outcome_of(row: Row, profile: Profile, side: Side, made: Plan, waiting: set[int]) -> Outcome:
    """Exactly one outcome. Of the rows that reach a target, the one that counts has the target's outcome."""
    if row.wrong is not None or row.number in made.rejected:
        return Outcome("rejected")
    if row.number in waiting:
        return Outcome("review")
    person = side.decisions[row.number].person
    first = side.counting(person)
    changes = [change for change in made.changes if change.entity == side.subject.entity and change.row == first]
    there = isinstance(person, int)
    if there and profile.matched == "ignore" and (row.number != first or not changes):
        return Outcome("duplicate", person, duplicate_of_contact=person)
    target = next((change.target for change in changes if change.action == "create"), person)
    if row.number != first:
        return Outcome("duplicate", target, duplicate_of_row=first)
    if not there:
        return Outcome("created", target)
    if profile.matched == "create":
        return Outcome("linked", target)
    return Outcome("updated" if changes else "unchanged", target)


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
