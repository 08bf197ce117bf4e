"""Files for `dealer_leads`: two of name, telephone number and e-mail address make the same person.

A value that cannot be read is noted and counts as absent; only a row left without a name, or without any way to
reach the person, is rejected.
"""

from __future__ import annotations

import random

from maker.files import Cells, Line, SampleFile, arranged, blank, deal, duplicate, lines
from maker.people import americans, us_phone

HEADINGS = {"full_name": "Name", "phone": "Phone", "email": "Email"}
OTHER_HEADINGS = {
    "first_name": "First name",
    "last_name": "Last name",
    "phone": "Mobile",
    "email": "Email address",
}
BAD_EMAIL = {"email": "no email"}
BAD_PHONE = {"phone": "call after 6"}
SCIENTIFIC = {"phone": "2.02556E+09"}
NAMELESS = {"full_name": "", "first_name": "", "last_name": ""}
UNREACHABLE = {"phone": "", "email": ""}
NOTED = [(BAD_EMAIL, "email-syntax"), (BAD_PHONE, "phone-invalid"), (SCIENTIFIC, "excel-scientific")]


class Leads:
    """Ever new leads."""

    def __init__(self, rng: random.Random) -> None:
        self._people = americans(rng)

    def new(self, **changes: str) -> Cells:
        """A lead like nobody before."""
        who = next(self._people)
        name = {"full_name": who.full, "first_name": who.first, "last_name": who.last}
        return {**name, "phone": who.phone, "email": who.email, **changes}

    def several(self, count: int, **changes: str) -> list[Cells]:
        """As many new leads, with the same changes."""
        return [self.new(**changes) for _ in range(count)]

    def noted(self) -> list[Line]:
        """New leads, one with each value that is noted."""
        return [Line({**self.new(), **wrong}, "created", (code,)) for wrong, code in NOTED]

    def rejected(self) -> list[Line]:
        """Rows of which too little is left."""
        few = [NAMELESS, UNREACHABLE]
        noted = [(BAD_EMAIL, "email-syntax"), (BAD_PHONE, "phone-invalid")]
        return [
            *(Line({**self.new(), **wrong}, "rejected", ("needs-one-of",)) for wrong in few),
            *(Line({**self.new(), **UNREACHABLE, **bad}, "rejected", (code, "needs-one-of")) for bad, code in noted),
        ]


def dealer_leads(rng: random.Random) -> list[SampleFile]:
    """Two files that merge what they match, and one that makes new leads and links them."""
    leads = Leads(rng)
    whole, phone_only, email_only = leads.several(160), leads.several(40, email=""), leads.several(25, phone="")
    namesakes = [(cells, leads.new(full_name=cells["full_name"])) for cells in leads.several(3)]
    first = SampleFile("dealer_leads_1.csv", "dealer_leads", HEADINGS, options("merge", "SMS", "m.keane"), "finalized")
    known = lines([*whole, *phone_only, *email_only, *(each for pair in namesakes for each in pair)], "created")
    first.lines = arranged(
        rng,
        [
            *known,
            *(duplicate(line, email="") for line in known[:6]),
            *leads.noted(),
            *leads.rejected(),
            *blank(3),
        ],
    )
    same, steady, changing = deal(rng, whole, 50, 30)
    second = SampleFile("dealer_leads_2.csv", "dealer_leads", HEADINGS, first.options, "finalized")
    second.lines = arranged(
        rng,
        [
            *(Line({**cells, "phone": us_phone(rng, cells["phone"])}, "unchanged") for cells in same),
            *lines([*phone_only[:10], *email_only[:10]], "unchanged"),
            *merged(rng, leads, changing),
            *(Line({**cells, "email": leads.new()["email"]}, "updated") for cells in phone_only[10:20]),
            *lines(strangers(leads, steady), "created"),
            *(Line({**one, "email": other["email"]}, "review") for one, other in namesakes),
            *leads.noted(),
            *leads.rejected(),
            *blank(6),
        ],
        heading=HEADINGS,
    )
    return [first, second, linking(rng, leads, steady)]


def options(rule: str, lead_type: str, user: str) -> dict[str, object]:
    """How a file is imported."""
    return {"rule": rule, "lead_type": lead_type, "user": user}


def merged(rng: random.Random, leads: Leads, known: list[Cells]) -> list[Line]:
    """Rows that share two values with somebody known, and more rows for the same people."""
    mailed, rung, married, noted, reached, _missing = deal(rng, known, 20, 15, 10, len(NOTED), 4)
    new = lines(leads.several(60), "created")
    mailing = [Line({**cells, "email": leads.new()["email"]}, "updated") for cells in mailed]
    # The row itself changes nothing, but the one merged into it does: the first row has the contact's outcome.
    reaching = [(Line(cells, "updated"), leads.new()["email"]) for cells in reached]
    return [
        *mailing,
        *(Line({**cells, "phone": leads.new()["phone"]}, "updated") for cells in rung),
        *(Line({**cells, "full_name": f"{cells['full_name']}-Winslow"}, "updated") for cells in married),
        *(Line({**cells, **wrong}, "updated", (code,)) for cells, (wrong, code) in zip(noted, NOTED, strict=True)),
        *new,
        *(duplicate(line, phone="") for line in new[:6]),
        *(duplicate(line, email="") for line in mailing[:4]),
        *(line for line, _ in reaching),
        *(duplicate(line, email=email) for line, email in reaching),
    ]


def strangers(leads: Leads, known: list[Cells]) -> list[Cells]:
    """People who share only a name or only a telephone number with somebody known."""
    return [
        *(leads.new(full_name=cells["full_name"]) for cells in known[:5]),
        *(leads.new(phone=cells["phone"]) for cells in known[5:10]),
    ]


def linking(rng: random.Random, leads: Leads, known: list[Cells]) -> SampleFile:
    """A file of another origin: other columns, another delimiter, another module, and whoever matches is linked."""
    file = SampleFile(
        "dealer_leads_3.csv",
        "dealer_leads",
        OTHER_HEADINGS,
        {**options("create", "Internet", "t.osei"), "delimiter": ";"},
        "finalized",
        delimiter=";",
    )
    linked = [*lines(known[10:20], "linked"), *lines(known[20:30], "linked", email="")]
    new = lines(leads.several(40), "created")
    repeated = [duplicate(line, phone="") for line in [*new[:4], *linked[:2]]]
    file.lines = arranged(rng, [*linked, *new, *repeated, *leads.noted(), *leads.rejected(), *blank(3)])
    return file
