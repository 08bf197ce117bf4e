"""A file for `suppression_list`: people of the outreach contacts, and others, who are not to be contacted.

Most rows have no word in the column for it: that a row is there is the wish.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import replace

from maker.files import Cells, Defect, Line, SampleFile, arranged, blank, deal, duplicate, lines, rejected
from maker.people import americans

HEADINGS = {"email": "Email address", "phone": "Phone", "full_name": "Name", "wish": "Unsubscribed"}
DEFECTS: list[Defect] = [
    ({"email": "unsubscribe@", "phone": ""}, ("email-syntax",)),
    ({"email": "", "phone": "555-0178"}, ("phone-invalid",)),
    ({"email": "", "phone": ""}, ("needs-one-of",)),
    ({"wish": "no"}, ("not-a-choice",)),
    ({"wish": "asked again"}, ("boolean-format",)),
]


def suppression_list(rng: random.Random, outreach: list[SampleFile]) -> SampleFile:
    """Known people by their e-mail address or telephone number, unknown ones, repeated ones, and defects."""
    known = [line.cells for file in outreach for line in file.lines if line.outcome == "created"]
    emails = Counter(cells["email"].lower() for cells in known)
    phones = Counter(_digits(cells["phone"]) for cells in known)
    found = [c for c in known if emails[c["email"].lower()] == phones[_digits(c["phone"])] == 1]
    mailed, called, _ = deal(rng, found, 20, 6)
    taken = {_digits(cells["phone"]) for cells in known}
    others = (who for who in americans(rng) if _digits(who.phone) not in taken)
    strangers = [next(others) for _ in range(17 + len(DEFECTS))]
    told = [Line({"email": cells["email"].upper()}, "updated") for cells in mailed]
    told += [Line({"phone": cells["phone"]}, "updated") for cells in called]
    made: list[Cells] = [
        {"email": f"left.{number}@example.org", "phone": who.phone, "full_name": f"{who.first} {who.last}"}
        for number, who in enumerate(strangers, 1)
    ]
    new = (
        lines(made[:12], "created") + lines(made[12:15], "created", email="") + lines(made[15:17], "created", phone="")
    )
    for line, wish in zip(
        [*told[:6], *new[:3]], ("yes", "unsubscribed", "x", "Opted out", "1", "ja") * 2, strict=False
    ):
        line.cells["wish"] = wish
    file = SampleFile("suppression_list_1.csv", "suppression_list", HEADINGS, {"user": "k.adeyemi"})
    file.lines = arranged(
        rng,
        [
            *told,
            *new,
            *(replace(duplicate(line), duplicate="of_existing") for line in told[:2]),
            *map(duplicate, new[:3]),
            *(rejected(cells, defect) for cells, defect in zip(made[17:], DEFECTS, strict=True)),
            *blank(2),
        ],
    )
    return file


def _digits(phone: str) -> str:
    return re.sub(r"\D", "", phone)[-10:]
