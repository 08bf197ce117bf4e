"""Files for `property_contacts`: no region, so telephone numbers are international; all rows are valid or none is."""

from __future__ import annotations

import random

from maker.files import (
    Cells,
    Defect,
    Line,
    SampleFile,
    arranged,
    blank,
    deal,
    lines,
    rejected,
    rejected_duplicate,
)
from maker.people import UK_TOWNS, britons

HEADINGS = {
    "first_name": "First Name",
    "last_name": "Last Name",
    "email": "Email",
    "phone": "Phone",
    "company": "Company",
    "address": "Address",
    "city": "City",
    "zip_code": "Postcode",
}
LETTINGS = [
    "Example Lettings",
    "Sample & Daughters",
    "Anytown Estates",
    "Fictional Facilities",
    "Placeholder Properties",
]
STREETS = [
    "Sample Street",
    "Example Lane",
    "Placeholder Road",
    "Demonstration Row",
    "Fictitious Close",
    "Specimen Terrace",
]
DEFECTS: list[Defect] = [
    ({"email": "tenant@"}, ("email-syntax",)),
    ({"email": "caretaker(at)example.com"}, ("email-syntax",)),
    ({"phone": "020 7946 0123"}, ("phone-no-region",)),
    ({"phone": "+44 20 7946"}, ("phone-invalid",)),
    ({"phone": "4.42079E+11"}, ("excel-scientific",)),
    ({"first_name": "", "last_name": "", "email": ""}, ("needs-one-of",)),
    ({"zip_code": "SW1A 1AA or SW1A 1AB"}, ("too-long",)),
    ({"email": "landlord", "phone": "020 7946 0177"}, ("email-syntax", "phone-no-region")),
]


def property_contacts(rng: random.Random) -> list[SampleFile]:
    """In the second file contacts are found by e-mail address, or by name and telephone number where that changed."""
    everybody = britons(rng)

    def contact(**changes: str) -> Cells:
        who = next(everybody)
        town, (_, outward) = rng.choice(list(UK_TOWNS.items()))
        name = {"first_name": who.first, "last_name": who.last, "email": who.email, "phone": who.phone}
        where = {"address": f"{rng.randrange(1, 120)} {rng.choice(STREETS)}", "city": town}
        code = {"zip_code": f"{outward} {rng.randrange(1, 10)}AA"}
        return {**name, "company": rng.choice(["", *LETTINGS]), **where, **code, **changes}

    whole = [contact() for _ in range(160)]
    no_email = [contact(email="") for _ in range(30)]
    suppliers = [contact(first_name="", last_name="", company=rng.choice(LETTINGS)) for _ in range(20)]
    first = SampleFile("property_contacts_1.xlsx", "property_contacts", HEADINGS, {"user": "k.adeyemi"})
    first.lines = arranged(rng, [*lines([*whole, *no_email, *suppliers], "created"), *blank(3)])

    same, spoilt, moved, renewed, silent, _missing = deal(rng, whole, 55, 2, 25, 15, 20)
    by_name, reached, _missing_too = deal(rng, no_email, 15, 10)
    new = lines((contact() for _ in range(40)), "created")
    moving = lines(moved, "updated", address="1 Specimen Terrace", city="Leeds", zip_code="LS1 4DY")
    renewing = [Line({**cells, "email": f"new.{cells['email']}"}, "updated") for cells in renewed]
    no_number: Defect = ({"phone": "to follow"}, ("phone-invalid",))
    second = SampleFile("property_contacts_2.xlsx", "property_contacts", HEADINGS, first.options, state="blocked")
    second.lines = arranged(
        rng,
        [
            *lines([*same, *by_name, *suppliers], "unchanged"),
            *lines(silent, "unchanged", phone="", address="", city="", zip_code=""),
            *moving,
            *renewing,
            *(Line({**cells, "email": contact()["email"]}, "updated") for cells in reached),
            *new,
            *map(rejected_duplicate, [*new[:3], *moving[:2], *renewing[:1]]),
            *(rejected(contact(), defect) for defect in DEFECTS),
            *(rejected(cells, no_number, then=Line(cells, "unchanged")) for cells in spoilt),
            *blank(5),
        ],
        heading=HEADINGS,
    )
    return [first, second, second.corrected(blank="keep")]
