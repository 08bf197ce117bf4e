"""Made-up cases for Hypothesis: a profile, an address book and a file in which nearly everything collides.

A case holds many worlds that share no value, so that one run of the SQL decides many small address books at once.
Hypothesis draws a number from which the profile and the options are made, and one for each world; so no two runs are
alike, and a case that fails shrinks to few worlds, each of a handful of contacts and rows.
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
    "suppression_list",
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
BLANKS = ["fill", "keep", "overwrite"]
# Below this, all numbers are drawn alike; of larger ones Hypothesis prefers the small.
SEEDS = st.integers(0, 2**24 - 1)


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


def _made_profile(random: Random) -> dict[str, Any]:
    """A profile of its own: several rules in order, counting ones among them, and any handling of what matches."""
    matched = random.choice(["update", "update", "merge", "create", "ignore"])
    own = {name: {"blank": random.choice(BLANKS)} for name in random.sample(list(COLUMNS), random.randint(0, 4))}
    required = random.choice([None, "zip_code", "zip_code", "phone"])
    columns = [{"field": n, "heading": n.title(), "required": n == required} | COLUMNS[n] for n in COLUMNS]
    lists = random.choice([None, "add", "add" if matched == "merge" else "replace"])
    columns = [column | ({"lists": lists} if column.get("type") == "list" else {}) for column in columns]
    return {
        "name": "made_up", "title": "Made up", "address_book": "made_up", "file": {"types": ["csv"]},
        "headings": "mapped", "apply": "automatic", "matched": matched,
        "columns": [column | own.get(column["field"], {}) for column in columns],
        "match": [_rule(random) for _ in range(random.randint(1, 3))],
        "on_error": random.choice(["reject", "note"]),
        "rules": random.sample(REQUIRED, random.randint(0, 2)),
        "needs_account": random.random() < 0.2,
        "options": {"deactivate_missing": True, "reactivate": matched in {"update", "merge"}},
        "group": {"default": "Everybody"} if random.random() < 0.5 else None,
    }  # fmt: skip


def _rule(random: Random) -> dict[str, Any]:
    rule: dict[str, Any] = {"higher_differs": random.choice(["same", "another", "review"])}
    fields = random.sample(KEYS, random.randint(1, 3))
    if len(fields) > 1 and random.random() < 0.5:
        return rule | {"at_least": random.randint(1, len(fields)), "of": fields}
    rule["equal"] = fields[:2]
    steps = random.sample(["contact_type", "full_name"], random.choice([0, 0, 1, 2]))
    rule["narrow"] = [{"field": name, "otherwise": random.choice(["new", "review"])} for name in steps]
    return rule


def _profile(random: Random) -> Profile:
    name = random.choice([*SHIPPED, *["made_up"] * 8])
    content = _made_profile(random) if name == "made_up" else load_profile(name).model_dump(mode="json")
    content["roles"] = None
    if name == "made_up" or random.random() < 0.7:
        content["blank"] = random.choice([*BLANKS, "overwrite"])
        merge = ["merge"] if content.get("target") != "account" else []
        content["within_file"] = random.choice(["first_wins", "last_wins", "reject_later", *merge, *merge])
        content["options"]["reactivate"] = content["matched"] in {"update", "merge"}
    return Profile.model_validate(content)


def _options(random: Random, profile: Profile) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if profile.options.rule:
        given["rule"] = random.choice(["merge", "create"])
    if profile.lead_types:
        given["lead_type"] = "SMS"
    if profile.group:
        given["group"] = "Spring"
    for name in ("deactivate_missing", "reactivate"):
        if getattr(profile.options, name):
            given[name] = random.random() < 0.5
    if given.get("rule", profile.matched) not in {"update", "merge"}:
        given.pop("reactivate", None)  # which is refused there
    return given


@st.composite
def cases(draw: st.DrawFn, worlds: int = 4) -> Case:
    """A case of about as many worlds."""
    random = Random(draw(SEEDS))
    profile = _profile(random)
    given = _options(random, profile)
    resolved, options = choose(profile, given)
    names = list(profile.row_fields)
    left_out = random.sample(names, random.randint(0, 2)) if profile.headings == "mapped" else ()
    columns = [name for name in names if name not in left_out or (name == "account_number" and profile.needs_account)]
    seeds = draw(st.lists(SEEDS, min_size=1 + worlds // 2, max_size=worlds + worlds // 2, unique=True))
    case = Case(profile, options, given, columns, [], [])
    taken = [0, 0, 1]  # accounts, contacts and rows so far
    for number, seed in enumerate(seeds):
        maker = _Maker(Random(seed), resolved, columns, f"~{number}", *taken)
        world = World(Book(list(maker.contacts()), list(maker.accounts())), list(maker.rows()))
        taken = [taken[0] + len(world.book.accounts), taken[1] + len(world.book.contacts), taken[2] + len(world.rows)]
        case.worlds.append(world)
    case.blanks = [taken[2] + 1] if random.random() < 0.5 else []
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
        self._people: list[dict[str, Any]] = []  # made so far, for rows to be like

    def accounts(self) -> Iterator[Entity]:
        """Some accounts, where rows name any."""
        known = [number for number in VALUES["account_number"] if self._needs_account and self.random.random() < 0.6]
        for place, number in enumerate(known, self._first[0]):
            values = self._values([name for name in ACCOUNT_FIELDS if name != "account_number"])
            values["account_number"] = number + self.mark
            self._people.append(values)
            yield Entity(place, values)

    def contacts(self) -> Iterator[Entity]:
        """Some contacts, deactivated ones and linked ones among them."""
        fields = [n for n in CONTACT_FIELDS if n in self.profile.contact_fields or n in {"module", "notes"}]
        names = ("full_name", "first_name", "last_name")
        fields += [name for name in names if name not in fields and self.profile.has_name]
        oldest: list[int] = []
        for number in range(self._first[1], self._first[1] + self.random.randint(0, 4)):
            linked_to = self.random.choice([None, None, *oldest]) if oldest else None
            values = {name: value for name, value in self._values(fields).items() if value is not None}
            self._people.append(values)
            yield Entity(number, values, self.random.random() < 0.7, linked_to)
            if linked_to is None:
                oldest.append(number)

    def rows(self) -> Iterator[Row]:
        """Some rows, most like somebody: with blanks, words for nothing, rejected rows and cells for the notes."""
        nothings = [column.field for column in self.profile.columns if column.nothing and column.field in self.columns]
        for number in range(self._first[2], self._first[2] + self.random.randint(0, 6)):
            values = self._values(self.columns) | self._like_somebody()
            for name in nothings:
                if self.random.random() < 0.25:
                    values[name] = ""
            if self._needs_account and self.random.random() < 0.95:
                values["account_number"] = self.random.choice(VALUES["account_number"]) + self.mark
            if "identifier" in values:
                values["identifier"] = values["account_number"]
            self._people.append(values)
            yield self._row(number, values)

    def _like_somebody(self) -> dict[str, Any]:
        """Most of what a contact, an account or an earlier row says, so that rows match, and chains of rows form."""
        if not self._people or self.random.random() < 0.3:
            return {}
        somebody = self.random.choice(self._people)
        return {name: somebody[name] for name in self.columns if name in somebody and self.random.random() < 0.7}

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
