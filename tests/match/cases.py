"""Made-up cases for Hypothesis: a profile, an address book and a file in which nearly everything collides.

A case holds many worlds that share no value, so that one run of the SQL decides many small address books at once.
Hypothesis draws the profile, the options and a number for each world, from which that one is made; so a case that fails
shrinks to few worlds, each of a handful of contacts and rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import strategies as st

from contact_pipeline.profiles import Profile, load_profile
from contact_pipeline.profiles.options import UploadOptions, choose
from contact_pipeline.terms import ACCOUNT_FIELDS, CONTACT_FIELDS
from tests.match.reference import Book, Entity, Row

SHIPPED = (
    "program_contacts", "outreach_contacts", "property_contacts",
    "portfolio_accounts", "portfolio_contacts", "dealer_leads",
)  # fmt: skip

# Few values, so that collisions abound; some differ in nothing but case or accents.
VALUES: dict[str, list[Any]] = {
    "email": ["ann@example.com", "Ann@example.com", "bob@example.com"],
    "full_name": ["Ann Bee", "ANN BÉE", "Carl Straße", "carl STRASSE"],
    "first_name": ["Ann", "Carl"],
    "last_name": ["Bee", "bée", "Dee"],
    "phone": ["+12025550143", "+12025550144"],
    "ssn": ["219-09-9991", "219-09-9992"],
    "account_number": ["100", "200", "a30"],
    "identifier": ["100", "200"],
    "zip_code": ["02139", "10001"],
    "contact_type": ["DOCTOR", "OTHERS"],
    "qualifications": [["Surgery"], ["Surgery", "Pediatrics"]],
    "do_not_contact": [True, False],
    "contact_name": ["Ann Bee", "ANN BÉE", "Carl Dee"],
    "contact_phone": ["+12025550143", "+12025550144"],
    "contact_email": ["ann@example.com"],
    "account_type": ["MEDICAL", "COMPANY"],
    "portfolio": ["ann", "bob"],
    "status": ["ACTIVE", "INACTIVE"],
    "module": ["Showroom"],
    "notes": [["[import] Phone: 12"], ["[merge] Email: ann@example.com", "Called twice"]],
}
OTHER_TEXT = ["One", "Two"]
# What stands apart in every world, by a mark at its end; names also have one where they begin, so that what is left of
# them stands apart as well.
IDENTIFYING = {
    "email", "last_name", "phone", "ssn", "account_number", "identifier", "zip_code", "contact_phone", "contact_email",
}  # fmt: skip
FULL_NAMES = {"full_name", "contact_name"}
_SHOWN = 3  # worlds of a case that is printed
NOTHING = {"portfolio": "Without Portfolio", "company": "None"}

COLUMNS: dict[str, dict[str, Any]] = {
    "account_number": {},
    "ssn": {"type": "ssn", "sensitive": True},
    "email": {"type": "email"},
    "full_name": {"type": "name"},
    "first_name": {"type": "name"},
    "last_name": {"type": "name"},
    "phone": {"type": "phone"},
    "zip_code": {"type": "zip_code"},
    "contact_type": {"type": "choice", "choices": ["DOCTOR", "OTHERS"], "default": "OTHERS"},
    "company": {"nothing": NOTHING["company"]},
    "qualifications": {"type": "list"},
    "do_not_contact": {"type": "boolean"},
    "notes": {"type": "list"},
}
# What a contact of a made-up profile may be required to have.
REQUIRED: list[dict[str, Any]] = [
    {"any_of": [["name"], ["email"]], "message": "a name or an e-mail address"},
    {"any_of": [["phone"], ["email"]], "when_any": ["company"], "message": "a phone number or an e-mail address"},
    {"required": "zip_code", "when": {"contact_type": ["DOCTOR"], "account_number": []}},
]
KEYS = ["account_number", "ssn", "email", "name", "phone"]


@dataclass
class World:
    """An address book and the rows of a file that speak of it."""

    book: Book
    rows: list[Row]


@dataclass
class Case:
    """A profile with its options, and the worlds of one address book and one file."""

    profile: Profile
    options: UploadOptions
    given: dict[str, Any]
    columns: list[str]
    worlds: list[World]
    blanks: list[int]

    @property
    def book(self) -> Book:
        """The address book."""
        contacts = [contact for world in self.worlds for contact in world.book.contacts]
        return Book(contacts, [account for world in self.worlds for account in world.book.accounts])

    @property
    def rows(self) -> list[Row]:
        """The rows of the file."""
        return [row for world in self.worlds for row in world.rows]

    def __repr__(self) -> str:
        profile, rules = self.profile, [rule.model_dump(exclude_defaults=True) for rule in self.profile.match]
        required = [rule.model_dump(exclude_defaults=True) for rule in self.profile.rules]
        blanks = {column.field: column.blank for column in profile.columns if column.blank}
        said = (profile.name, self.given, profile.matched, profile.within_file, profile.blank, profile.on_error)
        shown = self.worlds[:_SHOWN]
        parts = [said, rules, required, blanks, self.columns, self.blanks]
        parts += [part for w in shown for part in ("world", *w.book.accounts, *w.book.contacts, *w.rows)]
        more = [f"and {len(self.worlds) - _SHOWN} more worlds"] if len(self.worlds) > _SHOWN else []
        return "\n".join(["Case:", *(repr(part) for part in parts), *more])

    def _repr_pretty_(self, printer: Any, _: bool) -> None:
        printer.text(repr(self))


def _made_profile(draw: st.DrawFn) -> dict[str, Any]:
    """A profile of its own: several rules in order, counting ones among them, and any handling of what matches."""
    matched = draw(st.sampled_from(["update", "ignore", "merge", "create"]))
    own = draw(st.dictionaries(st.sampled_from(sorted(COLUMNS)), st.sampled_from(["fill", "keep", "overwrite"])))
    blanks = {name: {"blank": policy} for name, policy in own.items()}
    return {
        "name": "made_up", "title": "Made up", "address_book": "made_up", "file": {"types": ["csv"]},
        "headings": "mapped", "apply": "automatic", "matched": matched,
        "columns": [{"field": n, "heading": n.title()} | COLUMNS[n] | blanks.get(n, {}) for n in COLUMNS],
        "match": draw(st.lists(_rule(), min_size=1, max_size=3)), "on_error": draw(st.sampled_from(["reject", "note"])),
        "rules": draw(st.lists(st.sampled_from(REQUIRED), max_size=2, unique_by=str)),
        "needs_account": draw(st.integers(0, 3)) == 3,
        "options": {"deactivate_missing": True, "reactivate": matched in {"update", "merge"}},
        "group": {"default": "Everybody"} if draw(st.booleans()) else None,
    }  # fmt: skip


@st.composite
def _rule(draw: st.DrawFn) -> dict[str, Any]:
    rule: dict[str, Any] = {"higher_differs": draw(st.sampled_from(["same", "another", "review"]))}
    fields = draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True))
    if len(fields) > 1 and draw(st.booleans()):
        return rule | {"at_least": draw(st.integers(1, len(fields))), "of": fields}
    rule["equal"] = fields[:2]
    steps = draw(st.lists(st.sampled_from(["contact_type", "full_name"]), max_size=2, unique=True))
    rule["narrow"] = [{"field": name, "otherwise": draw(st.sampled_from(["new", "review"]))} for name in steps]
    return rule


def _profile(draw: st.DrawFn) -> Profile:
    name = draw(st.sampled_from([*SHIPPED, *["made_up"] * 6]))
    content = _made_profile(draw) if name == "made_up" else load_profile(name).model_dump(mode="json")
    content["roles"] = None
    if name == "made_up" or draw(st.booleans()):
        content["blank"] = draw(st.sampled_from(["fill", "keep", "overwrite"]))
        merge = ["merge"] if content.get("target") != "account" else []
        content["within_file"] = draw(st.sampled_from(["first_wins", "last_wins", "reject_later", *merge]))
        content["options"]["reactivate"] = content["matched"] in {"update", "merge"}
    return Profile.model_validate(content)


def _options(draw: st.DrawFn, profile: Profile) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if profile.options.rule:
        given["rule"] = draw(st.sampled_from(["merge", "create"]))
    if profile.lead_types:
        given["lead_type"] = "SMS"
    if profile.group:
        given["group"] = "Spring"
    for name in ("deactivate_missing", "reactivate"):
        if getattr(profile.options, name):
            given[name] = draw(st.booleans())
    return given


@st.composite
def cases(draw: st.DrawFn, worlds: int = 4) -> Case:
    """A case of about as many worlds."""
    profile = _profile(draw)
    given = _options(draw, profile)
    resolved, options = choose(profile, given)
    names = list(profile.row_fields)
    left_out = draw(st.sets(st.sampled_from(names), max_size=2)) if profile.headings == "mapped" else ()
    columns = [name for name in names if name not in left_out or (name == "account_number" and profile.needs_account)]
    seeds = draw(st.lists(st.integers(0, 2**32), min_size=1 + worlds // 2, max_size=worlds + worlds // 2, unique=True))
    case = Case(profile, options, given, columns, [], [])
    taken = [0, 0, 1]  # accounts, contacts and rows so far
    for number, seed in enumerate(seeds):
        maker = _Maker(Random(seed), resolved, columns, f"~{number}", *taken)
        world = World(Book(list(maker.contacts()), list(maker.accounts())), list(maker.rows()))
        taken = [taken[0] + len(world.book.accounts), taken[1] + len(world.book.contacts), taken[2] + len(world.rows)]
        case.worlds.append(world)
    case.blanks = [taken[2] + 1] if draw(st.booleans()) else []
    return case


class _Maker:
    """Makes one world, all of whose values end in a mark of its own."""

    def __init__(
        self, random: Random, profile: Profile, columns: list[str], mark: str, accounts: int, contacts: int, row: int
    ) -> None:
        self.random = random
        self.profile = profile
        self.columns = columns
        self.mark = mark
        self._first = accounts + 1, contacts + 1, row + 1
        self._needs_account = profile.target == "account" or profile.needs_account

    def accounts(self) -> Iterator[Entity]:
        """Some accounts, where rows name any."""
        known = [number for number in VALUES["account_number"] if self._needs_account and self.random.random() < 0.6]
        for place, number in enumerate(known, self._first[0]):
            values = self._values([name for name in ACCOUNT_FIELDS if name != "account_number"])
            yield Entity(place, values | {"account_number": number + self.mark})

    def contacts(self) -> Iterator[Entity]:
        """Some contacts, deactivated ones and linked ones among them."""
        fields = [n for n in CONTACT_FIELDS if n in self.profile.contact_fields or n in {"module", "notes"}]
        names = ("full_name", "first_name", "last_name")
        fields += [name for name in names if name not in fields and self.profile.has_name]
        oldest: list[int] = []
        for number in range(self._first[1], self._first[1] + self.random.randint(0, 4)):
            linked_to = self.random.choice([None, None, *oldest]) if oldest else None
            values = {name: value for name, value in self._values(fields).items() if value is not None}
            yield Entity(number, values, self.random.random() < 0.8, linked_to)
            if linked_to is None:
                oldest.append(number)

    def rows(self) -> Iterator[Row]:
        """Some rows, with blanks, words for nothing, rejected rows and cells that go to the notes."""
        nothings = [column.field for column in self.profile.columns if column.nothing and column.field in self.columns]
        for number in range(self._first[2], self._first[2] + self.random.randint(0, 5)):
            values = self._values(self.columns)
            for name in nothings:
                if self.random.random() < 0.25:
                    values[name] = ""
            if self._needs_account and self.random.random() < 0.95:
                values["account_number"] = self.random.choice(VALUES["account_number"]) + self.mark
            if "identifier" in values:
                values["identifier"] = values["account_number"]
            yield self._row(number, values)

    def _values(self, fields: list[str]) -> dict[str, Any]:
        values = {name: self.random.choice([None, *VALUES.get(name, OTHER_TEXT)]) for name in fields}
        return {name: value and self._marked(name, value) for name, value in values.items()}

    def _marked(self, name: str, value: Any) -> Any:
        begins = self.mark if name == "first_name" or name in FULL_NAMES else ""
        ends = self.mark if name in IDENTIFYING or name in FULL_NAMES else ""
        return f"{begins}{value}{ends}" if begins or ends else value

    def _row(self, number: int, values: dict[str, Any]) -> Row:
        filled = [name for name, value in values.items() if value]
        wrong = frozenset(self._some(filled)) if self.random.random() < 0.14 else None
        noted = {}
        if self.profile.on_error == "note" and self.random.random() < 0.33:
            names = [
                name for name in self._some(filled) if name not in self.profile.sensitive_fields | (wrong or set())
            ]
            noted = {name: f"[import] {name.title()}: {self.random.choice(['12', '34'])}" for name in names}
        return Row(number, values, noted, wrong)

    def _some(self, names: list[str]) -> list[str]:
        return sorted(self.random.sample(names, min(len(names), self.random.randint(0, 2))))
