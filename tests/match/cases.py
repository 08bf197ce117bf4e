"""Made-up cases for Hypothesis: a profile, an address book and a file in which nearly everything collides.

A case holds several worlds that share no value, so that one run of the SQL decides many small cases at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from contact_pipeline.contracts import ACCOUNT_FIELDS, CONTACT_FIELDS
from contact_pipeline.profiles import Profile, load_profile
from contact_pipeline.profiles.options import UploadOptions, choose
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
# What stands apart in every world; names and choices are the same words everywhere.
IDENTIFYING = {
    "email", "full_name", "last_name", "phone", "ssn", "account_number", "identifier", "zip_code",
    "contact_name", "contact_phone", "contact_email",
}  # fmt: skip
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
KEYS = ["account_number", "ssn", "email", "name", "phone"]


@dataclass
class Case:
    """A profile with its options, an address book, and the rows of a file."""

    profile: Profile
    options: UploadOptions
    given: dict[str, Any]
    book: Book
    rows: list[Row]
    blanks: list[int]
    columns: list[str]

    def __repr__(self) -> str:
        profile, rules = self.profile, [rule.model_dump(exclude_defaults=True) for rule in self.profile.match]
        said = (profile.name, self.given, profile.matched, profile.within_file, profile.blank, profile.on_error, rules)
        entities = [*self.book.accounts, *self.book.contacts]
        return "\n".join(["Case:", *(repr(part) for part in (said, self.columns, *entities, *self.rows, self.blanks))])

    def _repr_pretty_(self, printer: Any, _: bool) -> None:
        printer.text(repr(self))


def _made_profile(draw: st.DrawFn) -> dict[str, Any]:
    """A profile of its own: several rules in order, counting ones among them, and any handling of what matches."""
    rules = draw(st.lists(_rule(), min_size=1, max_size=3))
    columns = [{"field": name, "heading": name.title()} | more for name, more in COLUMNS.items()]
    return {
        "name": "made_up", "title": "Made up", "address_book": "made_up", "file": {"types": ["csv"]}, "headings": "all",
        "columns": columns, "match": rules, "on_error": draw(st.sampled_from(["reject", "note"])), "apply": "automatic",
        "matched": draw(st.sampled_from(["update", "ignore", "merge", "create"])),
        "options": {"deactivate_missing": True},
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
    name = draw(st.sampled_from([*SHIPPED, "made_up", "made_up", "made_up"]))
    content = _made_profile(draw) if name == "made_up" else load_profile(name).model_dump(mode="json")
    content["roles"] = None
    if name == "made_up" or draw(st.booleans()):
        content["blank"] = draw(st.sampled_from(["fill", "keep", "overwrite"]))
        merge = ["merge"] if content.get("target") != "account" else []
        content["within_file"] = draw(st.sampled_from(["first_wins", "last_wins", "reject_later", *merge]))
    return Profile.model_validate(content)


def _options(draw: st.DrawFn, profile: Profile) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if profile.options.rule:
        given["rule"] = draw(st.sampled_from(["merge", "create"]))
    if profile.lead_types:
        given["lead_type"] = "SMS"
    if profile.group:
        given["group"] = "Spring"
    if profile.options.deactivate_missing:
        given["deactivate_missing"] = draw(st.booleans())
    return given


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A case."""
    profile = _profile(draw)
    given = _options(draw, profile)
    resolved, options = choose(profile, given)
    left_out = (
        draw(st.sets(st.sampled_from(sorted(_columns(profile))), max_size=2)) if profile.headings == "mapped" else ()
    )
    columns = [name for name in _columns(profile) if name not in left_out]
    case = Case(profile, options, given, Book(), [], [], columns)
    for world in range(draw(st.integers(1, 4))):
        _add_world(draw, case, resolved, columns, f"~{world}")
    case.blanks = [number for number in range(2, len(case.rows) + 2) if draw(st.integers(0, 30)) == 30]
    numbers = (number for number in range(2, 1000) if number not in case.blanks)
    case.rows = [Row(number, row.values, row.noted, row.wrong) for number, row in zip(numbers, case.rows, strict=False)]
    return case


def _columns(profile: Profile) -> list[str]:
    return list(profile.row_fields)


def _add_world(draw: st.DrawFn, case: Case, profile: Profile, columns: list[str], mark: str) -> None:
    accounts = profile.target == "account" or profile.needs_account
    numbers = draw(st.sets(st.sampled_from(VALUES["account_number"]), max_size=3)) if accounts else set()
    for number in sorted(numbers):
        values = _values(draw, [name for name in ACCOUNT_FIELDS if name != "account_number"], mark)
        case.book.accounts.append(Entity(len(case.book.accounts) + 1, values | {"account_number": number + mark}))
    _add_contacts(draw, case, profile, mark)
    nothings = [column.field for column in profile.columns if column.nothing]
    for _ in range(draw(st.integers(0, 5))):
        values = _values(draw, columns, mark)
        for name in nothings:
            if draw(st.integers(0, 3)) == 3:
                values[name] = ""
        if profile.needs_account or profile.target == "account":
            values["account_number"] = draw(st.sampled_from(VALUES["account_number"])) + mark
        if "identifier" in values:
            values["identifier"] = values["account_number"]
        case.rows.append(_row(draw, profile, values))


def _add_contacts(draw: st.DrawFn, case: Case, profile: Profile, mark: str) -> None:
    fields = [name for name in CONTACT_FIELDS if name in profile.contact_fields or name in {"module", "notes"}]
    fields += [name for name in ("full_name", "first_name", "last_name") if name not in fields and profile.has_name]
    oldest: list[int] = []
    for _ in range(draw(st.integers(0, 4))):
        number = len(case.book.contacts) + 1
        linked_to = draw(st.sampled_from([None, None, *oldest])) if oldest else None
        active = draw(st.integers(0, 4)) != 4
        values = {name: value for name, value in _values(draw, fields, mark).items() if value is not None}
        case.book.contacts.append(Entity(number, values, active, linked_to))
        if linked_to is None:
            oldest.append(number)


def _values(draw: st.DrawFn, fields: list[str], mark: str) -> dict[str, Any]:
    values = {}
    for name in fields:
        value = draw(st.sampled_from([None, *VALUES.get(name, OTHER_TEXT)]))
        values[name] = value + mark if name in IDENTIFYING and value is not None else value
    return values


def _row(draw: st.DrawFn, profile: Profile, values: dict[str, Any]) -> Row:
    filled = [name for name, value in values.items() if value]
    wrong = None
    if draw(st.integers(0, 6)) == 6:
        wrong = frozenset(draw(st.sets(st.sampled_from(filled), max_size=2))) if filled else frozenset()
    noted = {}
    if profile.on_error == "note" and filled and draw(st.integers(0, 2)) == 2:
        sensitive = profile.sensitive_fields
        names = draw(st.sets(st.sampled_from(filled), max_size=2)) - sensitive - (wrong or set())
        noted = {name: f"[import] {name.title()}: {draw(st.sampled_from(['12', '34']))}" for name in sorted(names)}
    return Row(0, values, noted, wrong)
