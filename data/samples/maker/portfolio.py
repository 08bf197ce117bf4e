"""Files for `portfolio_accounts` and `portfolio_contacts`: accounts with their contacts, and contacts by themselves.

CRM registrations begin at 990001 and the roots of CNPJs at 99.000.001, beyond the numbers given out so far; the
alphanumeric CNPJs begin with EXEMP.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from itertools import chain

from maker.files import (
    TOO_LONG,
    Cells,
    Defect,
    Line,
    SampleFile,
    arranged,
    blank,
    deal,
    duplicate,
    lines,
    rejected,
    rejected_duplicate,
)
from maker.people import Person, brazilians

OWNERS = ("a.prado", "c.nunes", "j.teles", "test.user")
PORTFOLIOS = (*OWNERS, "Without Portfolio")
SPECIALTIES = [
    "Anesthesiology",
    "Cardiology",
    "Dermatology",
    "Endocrinology",
    "Family Medicine",
    "Gastroenterology",
    "Geriatrics",
    "Gynecology and Obstetrics",
    "Hematology",
    "Infectious Diseases",
    "Nephrology",
    "Neurology",
    "Oncology",
    "Ophthalmology",
    "Orthopedics",
    "Otolaryngology",
    "Pediatrics",
    "Psychiatry",
    "Pulmonology",
    "Radiology",
    "Rheumatology",
    "Sleep Medicine",
    "Urology",
]

ACCOUNTS = {
    "account_number": "Account Number",
    "account_name": "Account Name",
    "account_type": "Account Type",
    "portfolio": "Portfolio",
    "status": "Status",
    "contact_name": "Contact Name",
    "contact_type": "Contact Type",
    "contact_phone": "Contact Phone",
    "contact_email": "Contact Email",
}
ACCOUNTS_REQUIRED = ("account_number", "account_name", "account_type", "portfolio")
NO_CONTACT = {"contact_name": "", "contact_type": "", "contact_phone": "", "contact_email": ""}
COMPANY_DEFECTS: list[Defect] = [
    ({"account_number": ""}, ("required",)),
    ({"account_name": ""}, ("required",)),
    ({"account_type": ""}, ("required",)),
    ({"portfolio": ""}, ("required",)),
    ({"account_number": "99.000.999/0001-00"}, ("cnpj-check-digits",)),
    ({"account_number": "EX.EMP.999/0001-00"}, ("cnpj-check-digits",)),
    ({"account_number": "9.9001E+13"}, ("excel-scientific",)),
    ({"account_type": "HOSPITAL"}, ("not-a-choice",)),
    ({"status": "PAUSED"}, ("not-a-choice",)),
    ({"contact_type": "JANITOR"}, ("not-a-choice",)),
    ({"portfolio": "z.nobody"}, ("unknown-login",)),
    ({"contact_phone": "5555-0123"}, ("phone-invalid",)),
    ({"contact_phone": "1.15556E+09"}, ("excel-scientific",)),
    ({"contact_email": "contato@"}, ("email-syntax",)),
    ({"contact_name": ""}, ("needs-one-of",)),
    ({"contact_type": ""}, ("needs-one-of",)),
    ({"account_name": TOO_LONG}, ("too-long",)),
    ({"status": "PAUSED", "portfolio": "z.nobody"}, ("not-a-choice", "unknown-login")),
]
MEDICAL_DEFECTS: list[Defect] = [
    ({"account_number": "990123"}, ("crm-format",)),
    ({"account_number": "990123-XX"}, ("crm-format",)),
]

CONTACTS = {
    "account_number": "Account Number",
    "full_name": "Contact Name",
    "identifier": "Identifier",
    "contact_type": "Type",
    "qualifications": "Qualifications",
    "phone": "Phone",
    "email": "Email",
}
CONTACTS_REQUIRED = ("account_number", "full_name", "identifier", "contact_type")
CONTACT_DEFECTS: list[Defect] = [
    ({"account_number": ""}, ("required",)),
    ({"full_name": ""}, ("required",)),
    ({"identifier": ""}, ("required",)),
    ({"contact_type": ""}, ("required",)),
    ({"account_number": "990123-XX", "identifier": "990123-XX"}, ("identifier-format",) * 2),
    ({"account_number": "99.000.999/0001-00", "identifier": "99.000.999/0001-00"}, ("cnpj-check-digits",) * 2),
    ({"account_number": "9.9001E+13", "identifier": "9.9001E+13"}, ("excel-scientific",) * 2),
    ({"identifier": "990999-SP"}, ("differs-from",)),
    ({"account_number": "990999-SP", "identifier": "990999-SP"}, ("account-unknown",)),
    ({"contact_type": "NURSE"}, ("not-a-choice",)),
    ({"qualifications": "Cardiology; Phrenology"}, ("not-in-vocabulary",)),
    ({"phone": "5555-0123"}, ("phone-invalid",)),
    ({"email": "consultorio@"}, ("email-syntax",)),
    ({"full_name": TOO_LONG}, ("too-long",)),
]


def cnpj(root: str) -> str:
    """The CNPJ of the head office with that root of eight digits or letters.

    Modulo 11, a letter counting as its code less 48: Receita Federal, Instrução Normativa 2.229 of 2024.
    """
    number = f"{root}0001"
    for _ in range(2):
        weighted = ((ord(sign) - 48) * (2 + place % 8) for place, sign in enumerate(reversed(number)))
        remainder = sum(weighted) % 11
        number += str(0 if remainder < 2 else 11 - remainder)
    return f"{number[:2]}.{number[2:5]}.{number[5:8]}/{number[8:12]}-{number[12:]}"


class Market:
    """Accounts with ever new numbers, and the people who are their contacts."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._people = brazilians(rng)
        self._made = 0

    def person(self) -> Person:
        """Somebody new."""
        return next(self._people)

    def account(self, kind: str, *, contact: bool = True) -> Cells:
        """Another account, with a contact or without."""
        self._made += 1
        who = self.person()
        title = {"MEDICAL": f"Consultório {who.last}", "COMPANY": f"{who.last} Exemplo Ltda."}
        account = {
            "account_number": self._number(kind),
            "account_name": title.get(kind, f"Seguros {who.last} Exemplo"),
            "account_type": kind,
            "portfolio": self._rng.choice((*OWNERS, *PORTFOLIOS)),
            "status": self._rng.choice(("ACTIVE", "ACTIVE", "ACTIVE", "INACTIVE", "")),
        }
        role = self._rng.choice(("DOCTOR", "DOCTOR", "SECRETARY")) if kind == "MEDICAL" else "OTHERS"
        return {**account, **(as_contact(who, role) if contact else NO_CONTACT)}

    def _number(self, kind: str) -> str:
        if kind == "MEDICAL":
            return f"{990_000 + self._made}-{self._rng.choice(('SP', 'RJ', 'MG', 'BA', 'RS'))}"
        return cnpj(f"EXEMP{self._made:03d}" if self._made % 4 == 0 else f"99000{self._made:03d}")


def as_contact(who: Person, role: str) -> Cells:
    """The columns F to I."""
    return {
        "contact_name": who.full,
        "contact_type": role,
        "contact_phone": who.phone,
        "contact_email": who.email,
    }


def portfolio_accounts(rng: random.Random, market: Market) -> list[SampleFile]:
    """In the second file accounts move, close and get further contacts."""
    kinds = ["MEDICAL"] * 90 + ["COMPANY"] * 80 + ["INSURANCE"] * 30
    known = [market.account(kind, contact=number % 10 < 7) for number, kind in enumerate(kinds)]
    first = _accounts_file("portfolio_accounts_1.xlsx")
    first.lines = arranged(rng, [*(_new_account(cells) for cells in known), *blank(2)])

    with_doctor = [cells for cells in known if cells["contact_type"] == "DOCTOR"]
    other = [cells for cells in known if cells["contact_type"] in {"SECRETARY", "OTHERS"}]
    bare = [cells for cells in known if not cells["contact_name"]]
    assisted, doctors = deal(rng, with_doctor, 12)
    same, rung, moved, switched, renamed, _missing = deal(rng, [*doctors, *other], 45, 6, 25, 10, 8)
    staffed, unstaffed, _missing_too = deal(rng, bare, 10, 25)
    moving = [Line({**cells, "portfolio": _next(PORTFOLIOS, cells["portfolio"])}, "updated") for cells in moved]
    new = [
        _new_account(market.account(kind, contact=kind != "COMPANY"))
        for kind in ("MEDICAL", "COMPANY", "INSURANCE") * 10
    ]
    second = _accounts_file("portfolio_accounts_2.xlsx", state="blocked")
    second.lines = arranged(
        rng,
        [
            *lines(same, "unchanged"),
            *lines(unstaffed, "unchanged", status=""),
            # What happens to the contact is counted apart: the row's outcome is the account's.
            *(_with_contact(cells, as_contact(market.person(), "SECRETARY")) for cells in assisted),
            *(_with_contact(cells, as_contact(market.person(), "OTHERS")) for cells in staffed),
            *(Line({**cells, "contact_phone": market.person().phone}, "unchanged") for cells in rung),
            *moving,
            *(Line({**cells, "status": _switched(cells["status"])}, "updated") for cells in switched),
            *(Line({**cells, "account_name": f"{cells['account_name']} e Filhos"}, "updated") for cells in renamed),
            *new,
            *(rejected_duplicate(line, **NO_CONTACT) for line in [*new[:3], *moving[:2]]),
            *(_rejected_account(market.account("COMPANY"), defect) for defect in COMPANY_DEFECTS),
            *(_rejected_account(market.account("MEDICAL"), defect) for defect in MEDICAL_DEFECTS),
            *blank(4),
        ],
        heading=ACCOUNTS,
    )
    return [first, second, second.corrected()]


def _accounts_file(name: str, state: str = "applied") -> SampleFile:
    options: dict[str, object] = {"user": "k.adeyemi"}
    return SampleFile(name, "portfolio_accounts", ACCOUNTS, options, state=state, required=ACCOUNTS_REQUIRED)


def _new_account(cells: Cells) -> Line:
    return Line(cells, "created", contacts_created=int(bool(cells["contact_name"])))


def _with_contact(cells: Cells, contact: Cells) -> Line:
    return Line({**cells, **contact}, "unchanged", contacts_created=1)


def _rejected_account(good: Cells, defect: Defect) -> Line:
    return rejected(good, defect, then=_new_account(good))


def _next(values: tuple[str, ...], value: str) -> str:
    return values[(values.index(value) + 1) % len(values)]


def _switched(status: str) -> str:
    return "ACTIVE" if status == "INACTIVE" else "INACTIVE"


class People:
    """The contacts of the accounts as they stand, and the types that each account has."""

    def __init__(self, rng: random.Random, market: Market, applied: Iterable[SampleFile]) -> None:
        self._rng = rng
        self._market = market
        self._types: dict[str, set[str]] = {}
        self._contacts: dict[tuple[str, str], Cells] = {}
        for line in chain.from_iterable(file.lines for file in applied):
            if line.outcome != "blank":
                self._add(line.cells)

    def _add(self, cells: Cells) -> None:
        number, role = cells["account_number"], cells["contact_type"]
        types = self._types.setdefault(number, set())
        if role:
            types.add(role)
            self._contacts[number, role] = {
                "account_number": number,
                "full_name": cells["contact_name"],
                "identifier": number,
                "contact_type": role,
                "phone": cells["contact_phone"],
                "email": cells["contact_email"],
            }

    @property
    def contacts(self) -> list[Cells]:
        """Every contact that came with an account."""
        return list(self._contacts.values())

    def new(self) -> Iterator[Cells]:
        """Ever new contacts, each of a type that its account does not have yet."""
        while True:
            number = self._rng.choice([number for number, types in self._types.items() if len(types) < 2])
            role = self._rng.choice(sorted({"DOCTOR", "SECRETARY", "OTHERS"} - self._types[number]))
            self._types[number].add(role)
            yield self._cells(number, role)

    def colleague(self, cells: Cells) -> Cells:
        """Somebody else of the same type at the same account."""
        return self._cells(cells["account_number"], cells["contact_type"])

    def neighbour(self, cells: Cells) -> Cells:
        """Somebody else at the same account, of a type that it does not have yet."""
        number = cells["account_number"]
        role = min({"DOCTOR", "SECRETARY", "OTHERS"} - self._types[number])
        self._types[number].add(role)
        return self._cells(number, role)

    def _cells(self, number: str, role: str) -> Cells:
        who = self._market.person()
        cells = {"account_number": number, "full_name": who.full, "identifier": number, "contact_type": role}
        known_for = "; ".join(self.specialties()) if role == "DOCTOR" else ""
        return {**cells, "qualifications": known_for, "phone": who.phone, "email": who.email}

    def specialties(self) -> list[str]:
        """One or two specialties."""
        return self._rng.sample(SPECIALTIES, self._rng.choice((1, 1, 2)))


def portfolio_contacts(rng: random.Random, market: Market, accounts: Iterable[SampleFile]) -> list[SampleFile]:
    """The first file completes the contacts that came with the accounts; the second corrects them."""
    team = People(rng, market, accounts)
    newcomer = team.new()
    qualified, same, _missing = deal(rng, team.contacts, 70, 30)
    completed = [{**cells, "qualifications": rng.choice(SPECIALTIES)} for cells in qualified]
    created = [next(newcomer) for _ in range(110)]
    desks = [next(newcomer) for _ in range(3)]
    joined = [*desks, *map(team.neighbour, desks)]  # two of an account, told apart by their types
    new = lines(created, "created")
    first = _contacts_file("portfolio_contacts_1.xlsx")
    first.lines = arranged(
        rng,
        [
            *lines(completed, "updated"),
            *lines(same, "unchanged"),
            *lines(joined, "created"),
            *new,
            *map(duplicate, new[:4]),
            *blank(3),
        ],
    )
    kept, numeric, silent, rung, retrained, ousted, _gone = deal(rng, [*completed, *created], 60, 20, 15, 25, 15, 4)
    new = lines((next(newcomer) for _ in range(30)), "created")
    second = _contacts_file("portfolio_contacts_2.xlsx", state="blocked")
    second.lines = arranged(
        rng,
        [
            *lines([*kept, *joined], "unchanged"),
            *(Line({**cells, "identifier": _unpunctuated(cells["identifier"])}, "unchanged") for cells in numeric),
            *lines(silent, "unchanged", phone="", email="", qualifications=""),
            *(Line({**cells, "phone": market.person().phone}, "updated") for cells in rung),
            *lines(retrained, "updated", qualifications="Sleep Medicine; Geriatrics"),
            # Another name under the same type may be a new colleague or a correction: nobody guesses.
            *(Line(team.colleague(cells), "review", corrected=(Line(cells, "unchanged"),)) for cells in ousted),
            *new,
            *(duplicate(line, phone="") for line in new[:6]),
            *(rejected(next(newcomer), defect) for defect in CONTACT_DEFECTS),
            *blank(5),
        ],
        heading=CONTACTS,
    )
    return [first, second, second.corrected()]


def _contacts_file(name: str, state: str = "applied") -> SampleFile:
    options: dict[str, object] = {"user": "k.adeyemi"}
    return SampleFile(name, "portfolio_contacts", CONTACTS, options, state=state, required=CONTACTS_REQUIRED)


def _unpunctuated(number: str) -> str:
    """A CNPJ without its punctuation; the dash of a CRM belongs to it."""
    return number.replace(".", "").replace("/", "").replace("-", "") if "/" in number else number
