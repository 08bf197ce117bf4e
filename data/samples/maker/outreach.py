"""Files for `outreach_contacts`: known contacts are ignored as duplicates, defective rows rejected one by one.

The social security numbers, 899-99-xxxx, are well-formed and in an area that was not in use before June 2011, when
everybody here had long been born.
"""

from __future__ import annotations

import random
from datetime import date, timedelta

from maker.files import TOO_LONG, Cells, Defect, Line, SampleFile, arranged, blank, deal, duplicate, lines, rejected
from maker.people import americans, us_phone

HEADINGS = {
    "first_name": "First name",
    "phone": "Phone number",
    "ssn": "Social security number",
    "last_name": "Last name",
    "date_of_birth": "Date of birth",
    "account_number": "Account number",
    "email": "Email",
    "zip_code": "Zip code",
}
ZIP_CODES = [
    "02139",
    "02139-4307",
    "10001",
    "19103",
    "20005",
    "30303",
    "33130",
    "48226",
    "53202",
    "60601",
    "64106",
    "73102",
    "80202",
    "85004",
    "97204",
    "98101",
    "00901",
]
NO_NUMBERS = {"account_number": "", "ssn": ""}
DEFECTS: list[Defect] = [
    ({"email": "member.services@"}, ("email-syntax",)),
    ({"email": "two words@example.com"}, ("email-syntax",)),
    ({"phone": "555-0178"}, ("phone-invalid",)),
    ({"phone": "(123) 555-0178"}, ("phone-invalid",)),
    ({"phone": "2.02556E+09"}, ("excel-scientific",)),
    ({"account_number": "4.479E+11"}, ("excel-scientific",)),
    ({"ssn": "899-99-12"}, ("ssn-format",)),
    ({"ssn": "on file"}, ("ssn-format",)),
    ({"ssn": "000-12-3456"}, ("ssn-never-issued",)),
    ({"ssn": "666-12-3456"}, ("ssn-never-issued",)),
    ({"ssn": "987-65-4320"}, ("ssn-never-issued",)),
    ({"date_of_birth": "31/12/1980"}, ("date-format",)),
    ({"date_of_birth": "02/30/1984"}, ("date-format",)),
    ({"date_of_birth": "04/17/2091"}, ("date-future",)),
    ({"date_of_birth": "04/17/1884"}, ("date-before-1900",)),
    ({"zip_code": "ABCDE"}, ("zip-code-format",)),
    ({"zip_code": "0213941"}, ("zip-code-format",)),
    ({"account_number": "", "phone": "", "email": ""}, ("needs-one-of",)),
    ({"account_number": "", "first_name": "", "last_name": ""}, ("needs-one-of",)),
    ({"last_name": TOO_LONG}, ("too-long",)),
    ({"email": "nobody", "zip_code": "ABCDE"}, ("email-syntax", "zip-code-format")),
]


class Members:
    """Account holders with ever new account and social security numbers."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._people = americans(rng)
        self._made = 0

    def new(self, **changes: str) -> Cells:
        """Another account holder."""
        who = next(self._people)
        self._made += 1
        born = date(1940, 1, 1) + timedelta(days=self._rng.randrange(23_000))
        cells = {
            "first_name": who.first,
            "last_name": who.last,
            "phone": who.phone,
            "email": who.email,
            "ssn": f"899-99-{self._made:04d}",
            "date_of_birth": born.strftime(self._rng.choice(("%m/%d/%Y", "%Y-%m-%d"))),
            "account_number": f"AC-{100_000 + self._made}",
            "zip_code": self._rng.choice(ZIP_CODES),
        }
        return {**cells, **changes}


def outreach_contacts(rng: random.Random) -> list[SampleFile]:
    """The second file has people under each of their keys, and others who share one with somebody known."""
    members = Members(rng)
    whole = [members.new() for _ in range(205)]
    partial = [members.new(ssn="") for _ in range(40)] + [members.new(**NO_NUMBERS) for _ in range(40)]
    known = lines([*whole, *partial], "created")
    first = SampleFile("outreach_contacts_1.csv", "outreach_contacts", HEADINGS, options("Spring reminders"))
    early = [rejected(members.new(), DEFECTS[number]) for number in (0, 2, 11, 15)]
    first.lines = arranged(rng, [*known, *map(duplicate, known[:5]), *early, *blank(4)])

    second = SampleFile("outreach_contacts_2.csv", "outreach_contacts", HEADINGS, options("Autumn reminders"))
    second.headings = {**HEADINGS, "language": "Preferred language"}  # a further column is ignored
    second.encoding = "utf-8-sig"
    numbers_taken, others = strangers(rng, members, whole[:16])
    new = lines((members.new() for _ in range(90)), "created")
    without_numbers = lines((members.new(**NO_NUMBERS) for _ in range(5)), "created")
    second.lines = arranged(
        rng,
        [
            *(Line(cells, "duplicate", duplicate="of_existing") for cells in known_again(rng, whole[16:], partial)),
            *lines(numbers_taken, "review"),
            *lines(others, "created"),
            *new,
            *without_numbers,
            *(duplicate(line, zip_code="60601") for line in new[:7]),
            *(duplicate(line, phone="") for line in without_numbers),
            *(rejected(members.new(), defect) for defect in DEFECTS),
            *blank(6),
        ],
        heading=second.headings,
    )
    for line in second.lines:
        line.cells.setdefault("language", rng.choice(("English", "Spanish", "")) if line.cells else "")
    return [first, second]


def options(group: str) -> dict[str, object]:
    """How both files are imported, each into its own group."""
    return {"group": group, "user": "k.adeyemi"}


def known_again(rng: random.Random, whole: list[Cells], partial: list[Cells]) -> list[Cells]:
    """Known people, found by account number, social security number, e-mail address or telephone number."""
    same, moved, by_ssn, by_email, by_phone, _missing = deal(rng, whole, 70, 25, 10, 8, 8)
    return [
        *same,
        *partial[:30],
        *({**cells, "phone": us_phone(rng, cells["phone"]), "zip_code": "10001"} for cells in moved),
        *({**cells, "account_number": ""} for cells in by_ssn),
        *({**cells, **NO_NUMBERS, "phone": ""} for cells in by_email),
        *({**cells, **NO_NUMBERS, "email": ""} for cells in by_phone),
    ]


def strangers(rng: random.Random, members: Members, known: list[Cells]) -> tuple[list[Cells], list[Cells]]:
    """People with another account who share a number or an address with somebody known.

    With the same social security number they are to be reviewed; with the same e-mail address or telephone number they
    are somebody else.
    """
    taken, mailbox, household = deal(rng, known, 4, 6)
    return (
        [members.new(ssn=cells["ssn"]) for cells in taken],
        [
            *(members.new(email=cells["email"], ssn="") for cells in mailbox),
            *(members.new(phone=cells["phone"], ssn="") for cells in household),
        ],
    )
