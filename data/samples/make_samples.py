"""Makes the sample files, and `expected.yaml`: what each of them gives when they are imported in that order.

`python data/samples/make_samples.py [FOLDER]` writes them here, or into the folder. The same seed gives the same bytes.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from pathlib import Path

from maker.files import SEED, SampleFile, as_yaml
from maker.leads import dealer_leads
from maker.outreach import outreach_contacts
from maker.portfolio import SPECIALTIES, Market, portfolio_accounts, portfolio_contacts
from maker.program import program_contacts
from maker.property import property_contacts
from maker.suppression import suppression_list

BOOKS = {
    "program_contacts": "program",
    "outreach_contacts": "outreach",
    "property_contacts": "property",
    "portfolio_accounts": "portfolio",
    "portfolio_contacts": "portfolio",
    "dealer_leads": "leads",
    "suppression_list": "outreach",
}
USERS = [
    {"login": "m.keane", "name": "Maureen Keane", "roles": ["director"], "can_import": True},
    {"login": "t.osei", "name": "Theo Osei", "roles": ["bdc_director"], "can_import": True},
    {"login": "r.vance", "name": "Rhoda Vance", "roles": ["director"], "can_import": False},
    {"login": "s.lindqvist", "name": "Silas Lindqvist", "roles": ["salesperson"], "can_import": False},
    {"login": "k.adeyemi", "name": "Kemi Adeyemi", "roles": ["coordinator"], "can_import": True},
    {"login": "a.prado", "name": "Aline Prado", "roles": ["agent"], "can_import": False},
    {"login": "c.nunes", "name": "Caio Nunes", "roles": ["agent"], "can_import": False},
    {"login": "j.teles", "name": "Joana Teles", "roles": ["agent"], "can_import": False},
    {"login": "test.user", "name": "Test User", "roles": ["agent"], "can_import": False},
]


def sample_files() -> list[SampleFile]:
    """Every file, in the order of the demo: accounts before their contacts."""
    market = Market(_rng("portfolio"))
    accounts = portfolio_accounts(_rng("portfolio_accounts"), market)
    applied = [file for file in accounts if file.state == "applied"]
    outreach = outreach_contacts(_rng("outreach_contacts"))
    return [
        *accounts,
        *portfolio_contacts(_rng("portfolio_contacts"), market, applied),
        *program_contacts(_rng("program_contacts")),
        *outreach,
        suppression_list(_rng("suppression_list"), outreach),
        *property_contacts(_rng("property_contacts")),
        *dealer_leads(_rng("dealer_leads")),
    ]


def _rng(name: str) -> random.Random:
    return random.Random(f"{SEED} {name}")


def expected(files: list[SampleFile]) -> dict[str, object]:
    """What each file gives, and what there is in the end."""
    uploads = [file.expected() for file in files]
    contacts, inactive, accounts = Counter[str](), Counter[str](), 0
    for file in files:
        if file.state == "blocked":
            continue
        made = sum(line.contacts_created + (line.outcome in {"created", "linked"}) for line in file.lines)
        if file.profile == "portfolio_accounts":
            new_accounts = sum(line.outcome == "created" for line in file.lines)
            accounts += new_accounts
            made -= new_accounts
        contacts[BOOKS[file.profile]] += made
        inactive[BOOKS[file.profile]] += file.deactivated
    books = {book: {"contacts": contacts[book], "inactive": inactive[book]} for book in contacts}
    return {"uploads": uploads, "in_the_end": {"accounts": accounts, "address_books": books}}


def main(folder: Path) -> None:
    """Writes everything into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    files = sample_files()
    for file in files:
        file.write(folder)
    (folder / "users.yaml").write_bytes(as_yaml(USERS))
    (folder / "specialties.txt").write_text(
        "".join(f"{value}\n" for value in SPECIALTIES), encoding="utf-8", newline=""
    )
    (folder / "expected.yaml").write_bytes(as_yaml(expected(files)))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
