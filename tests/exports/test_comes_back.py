"""A file that an import profile reads, exported and sent back as it is, changes nobody, whatever they hold."""

import pytest

from contact_pipeline.profiles import find_profiles
from tests.exports.conftest import BROUGHT_BY

PROFILES = sorted(find_profiles()[0])
IGNORED = {"outreach_contacts", "suppression_list"}  # what is known there already is a duplicate, and left alone

TEXTS = (
    "=1+1", '=HYPERLINK("http://example.com","x")', "+1", "-1", "@x", "'=1", "'0123", "''", "'s-Gravenhage", "0042",
    'a "quoted" one', "semi;colon", "tab\tbed", "comma, here", "back\\slash", "new\nline", "a ::: b", ":::", "&amp;",
    "AT&T &lt;b&gt;", "&amp;amp;", "<b>", "N/A", "-", "none", "4.479E+11", "_x0041_", "Zoë", "Łukasz", "李雷", "👩‍👩‍👧",
    "\u202eevil", "x" * 600, " spaced ", "a  b", '="x"', "='x", "\ufeffmark", "e\u0301", "ﬁne", "\x07bell",
)  # fmt: skip
PHONES = ("+12025550143", "+12025550143;ext=007", "+442079460123", "+5511955550123", "+551155550123", "12", "+1202555",
          "+12020000000", "=1", "+81312345678;ext=1", "+390612345678")  # fmt: skip
DAYS = ("1900-01-01", "1899-12-31", "2000-02-29", "1968-12-31", "2999-01-01", "17.04.1984", "0001-01-01", "1984-4-1")
OF_ACCOUNT = {"account_number": "123456-SP", "identifier": "123456-SP", "contact_type": "DOCTOR"}


def people(book):
    """Contacts of which each holds one odd value beside plain ones."""
    if book == "portfolio":
        yield from of_account()
        return
    for n, text in enumerate(TEXTS):
        for field in ("first_name", "last_name", "full_name", "company", "zip_code", "account_number", "job_title"):
            yield {"full_name": f"Ann Odd{n} {field}", "email": f"{field}.{n}@example.com", field: text}
        yield {"full_name": f"Ann {n}", "email": text}
    for n, phone in enumerate(PHONES):
        yield {"full_name": f"Bo Odd{n}", "email": f"phone.{n}@example.com", "phone": phone}
        yield {"full_name": f"Bo Single{n}", "phone": phone}
    for n, day in enumerate(DAYS):
        yield {"full_name": f"Cy Odd{n}", "email": f"day.{n}@example.com", "date_of_birth": day}
    for n, wish in enumerate((True, False, None)):
        yield {"full_name": f"Di Odd{n}", "email": f"wish.{n}@example.com", "do_not_contact": wish}
    for n, ssn in enumerate(("219-09-9990", "123-45-6789", "1", "=1")):
        yield {"first_name": "Ed", "email": f"ssn.{n}@example.com", "ssn": ssn, "account_number": f"AC-{n}"}
    yield {}
    yield {"full_name": "Nobody Reached"}
    yield {"email": "noreply@example.com", "full_name": "No Reply", "account_number": "AC-77"}


def of_account():
    """The same, of an account."""
    for n, text in enumerate(TEXTS):
        yield {**OF_ACCOUNT, "full_name": f"Flo Odd{n}", "qualifications": [text, "Cardiology"]}
        yield {**OF_ACCOUNT, "full_name": text, "email": f"flo.{n}@example.com"}
        yield {**OF_ACCOUNT, "full_name": f"Gus {n}", "contact_type": text}
    yield {**OF_ACCOUNT, "full_name": "Hal", "qualifications": ["Pediatrics", "Cardiology"]}
    yield {**OF_ACCOUNT, "full_name": "Ida", "qualifications": []}
    for n, phone in enumerate(PHONES):
        yield {**OF_ACCOUNT, "full_name": f"Jo {n}", "phone": phone}


def accounts():
    """Accounts of which each holds one odd value."""
    for n, text in enumerate(TEXTS):
        plain = {"account_name": f"Odd {n}", "account_type": "MEDICAL", "status": "ACTIVE"}
        yield {**plain, "account_number": f"{700000 + n}-SP", "account_name": text}
        yield {**plain, "account_number": f"{710000 + n}-SP", "portfolio": text}
        yield {**plain, "account_number": f"{720000 + n}-SP", "account_type": text}
        yield {**plain, "account_number": f"{730000 + n}-SP", "status": text}
        yield {**plain, "account_number": text}
    yield {"account_number": "740000-SP"}
    yield {"account_number": "123456-SP", "account_name": "Of them", "account_type": "MEDICAL", "status": "ACTIVE"}
    yield {"account_number": "740001-SP", "account_name": "No type", "status": None}


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
def test_the_people_of_the_samples_come_back_unchanged(profile, bring, plan_again):
    """D2: the form that is exported is the one that is imported, of every profile."""
    bring(profile)

    written, upload = plan_again(profile)

    assert written.rows > 30
    assert upload.state == "staged"
    assert {name: count for name, count in upload.outcomes.items() if count} == {
        "duplicate" if profile in IGNORED else "unchanged": written.rows
    }
    assert upload.changes.is_empty()


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
def test_odd_values_come_back_unchanged_or_are_counted_as_left_out(profile, pipeline, bring, insert, plan_again):
    bring(profile)
    target = find_profiles()[0][profile]
    with pipeline.store.open(read_only=True) as database:
        columns = set(database.columns("contacts"))
    before = pipeline.export(pipeline.settings.home / "before.csv", profile).rows
    everyone = [{k: v for k, v in row.items() if k in columns} for row in people(target.address_book)]
    insert(target.address_book, *everyone)
    insert(target.address_book, *accounts(), table="accounts")

    written, upload = plan_again(profile)

    everybody = len([*accounts()]) if target.target == "account" else len(everyone)
    counted = sum(each.count for each in written.left_out if each.what == written.of)
    assert written.rows > before
    assert written.rows + counted >= everybody
    assert [dict(row) for row in upload.rejections.filter(severity="error").rows(named=True)] == []
    assert (upload.state, upload.line.reason) == ("staged", None)
    assert upload.changes.is_empty(), upload.changes.rows(named=True)
    assert {name: count for name, count in upload.outcomes.items() if count} == {
        "duplicate" if profile in IGNORED else "unchanged": written.rows
    }


def test_every_shipped_profile_is_tried():
    assert sorted(BROUGHT_BY) == PROFILES
