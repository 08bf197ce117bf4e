"""Files for `program_contacts`: matched by e-mail address, blanks filled, a defect blocks the whole file."""

from __future__ import annotations

import random

from maker.files import TOO_LONG, Cells, Defect, Line, SampleFile, arranged, blank, deal, duplicate, lines, rejected
from maker.people import americans

HEADINGS = {
    "email": "Email",
    "first_name": "First Name",
    "last_name": "Last Name",
    "phone": "Phone",
    "company": "Company",
    "job_title": "Job Title",
}
COMPANIES = [
    "Example Hauling",
    "Sample Waste Works",
    "Anytown Recycling",
    "Fictional Freight",
    "Placeholder Plumbing",
    "Demo Disposal",
    "Specimen Surveyors",
    "Acme Containers",
    "Prototype Paper",
    "Sandbox Storage",
    "Testwell Transport",
    "Mockingbird Movers",
]
JOB_TITLES = [
    "Site Manager",
    "Compliance Officer",
    "Dispatcher",
    "Records Clerk",
    "Fleet Supervisor",
    "Office Manager",
    "Counsel",
    "Yard Foreman",
    "Controller",
    "Safety Lead",
]
DEFECTS: list[Defect] = [
    ({"email": ""}, ("required",)),
    ({"email": "dispatch@"}, ("email-syntax",)),
    ({"email": "front desk at example.com"}, ("email-syntax",)),
    ({"phone": "555-0143"}, ("phone-invalid",)),
    ({"phone": "ask the front desk"}, ("phone-invalid",)),
    ({"phone": "2.02556E+09"}, ("excel-scientific",)),
    ({"job_title": TOO_LONG}, ("too-long",)),
    ({"email": "yard@example", "phone": "12345"}, ("email-syntax", "phone-invalid")),
]


def program_contacts(rng: random.Random) -> list[SampleFile]:
    """The second file leaves out a quarter of the contacts, more than may be deactivated without confirming it."""
    everybody = americans(rng)

    def contact() -> Cells:
        who = next(everybody)
        known = {"email": who.email, "first_name": who.first, "last_name": who.last, "phone": who.phone}
        return {**known, "company": rng.choice(COMPANIES), "job_title": rng.choice(JOB_TITLES)}

    whole = [contact() for _ in range(190)]
    sparse = [(contact(), rng.choice(("phone", "company", "job_title", "last_name"))) for _ in range(50)]
    known = lines([*whole, *({**cells, field: ""} for cells, field in sparse)], "created")
    first = SampleFile("program_contacts_1.xlsx", "program_contacts", HEADINGS, {"user": "k.adeyemi"})
    first.lines = arranged(rng, [*known, *map(duplicate, known[:5]), *blank(3)])

    same, promoted, shouting, gone = deal(rng, whole, 85, 30, 15)
    new = lines((contact() for _ in range(30)), "created")
    second = SampleFile("program_contacts_2.xlsx", "program_contacts", HEADINGS, first.options, state="blocked")
    second.lines = arranged(
        rng,
        [
            *lines(same, "unchanged"),
            *(Line({**cells, "email": cells["email"].upper()}, "unchanged") for cells in shouting),
            # Only blanks are filled: a new job title changes nothing, a first telephone number does.
            *lines(promoted, "unchanged", job_title="Regional Manager"),
            *(Line(cells, "updated") for cells, _ in sparse),
            *new,
            *(duplicate(line, job_title="Deputy") for line in new[:8]),
            *(rejected(contact(), defect) for defect in DEFECTS),
            *blank(6),
        ],
        heading=HEADINGS,
    )
    return [first, second, second.corrected(len(gone), deactivate_missing=True, allow_deactivations=30)]
