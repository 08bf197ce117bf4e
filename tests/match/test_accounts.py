"""Accounts, and the contacts that their rows bring along."""

from tests.match.reference import Entity

ROW = {
    "account_number": "123456-SP", "account_name": "Clinic", "account_type": "MEDICAL", "portfolio": "ann",
    "status": None, "contact_name": "Ana", "contact_type": "DOCTOR", "contact_phone": None,
    "contact_email": "ana@example.com",
}  # fmt: skip
NO_CONTACT = dict.fromkeys(["contact_name", "contact_type", "contact_phone", "contact_email"])


def kinds(planned):
    return sorted((change["entity"], change["action"]) for change in planned.changes)


def test_an_account_row_creates_the_account_and_its_contact(ground):
    """D5: the row's outcome is the account's; the contact is counted apart."""
    planned = ground.run("portfolio_accounts", [ROW])
    assert planned.row_outcomes == ["created"]
    assert (planned.outcomes[2]["account_id"], planned.outcomes[2]["contact_id"]) == (1, None)
    assert planned.changeset.contacts_created == 1
    assert ground.contact(1) == {
        "account_number": "123456-SP", "identifier": "123456-SP", "full_name": "Ana", "contact_type": "DOCTOR",
        "email": "ana@example.com",
    }  # fmt: skip


def test_without_any_contact_column_no_contact_is_made(ground):
    """D5: F to I all blank."""
    assert kinds(ground.plan("portfolio_accounts", [ROW | NO_CONTACT])) == [("account", "create")]


def test_the_same_accounts_again_change_nothing(ground):
    """D5: account and contact are found again."""
    ground.run("portfolio_accounts", [ROW])
    planned = ground.plan("portfolio_accounts", [ROW])
    assert (planned.row_outcomes, planned.changes) == (["unchanged"], [])


def test_an_account_is_updated_and_another_type_of_contact_is_added(ground):
    """D5, D8: the doctor stays; the secretary is new."""
    ground.run("portfolio_accounts", [ROW])
    row = ROW | {"portfolio": "bob", "contact_type": "SECRETARY", "contact_name": "Bia"}
    planned = ground.run("portfolio_accounts", [row])
    assert planned.row_outcomes == ["updated"]
    assert kinds(planned) == [("account", "update"), ("contact", "create")]
    assert ground.table("account", "portfolio")[1]["portfolio"] == "bob"


def test_a_row_whose_contact_is_doubtful_waits_as_a_whole(ground):
    """D8: neither the account nor the contact of the row is written before somebody decides."""
    ground.run("portfolio_accounts", [ROW])
    planned = ground.plan("portfolio_accounts", [ROW | {"account_name": "Other", "contact_name": "Anna"}])
    assert (planned.row_outcomes, planned.changes) == (["review"], [])
    assert planned.outcomes[2]["reason"] == "could be contact 1 (same Account Number, Contact Type)"


def test_the_same_account_twice_rejects_the_later_row_with_its_contact(ground):
    """D6: the later row is an error, and nothing of it is written."""
    planned = ground.plan("portfolio_accounts", [ROW, ROW | {"contact_name": "Bia", "contact_type": "OTHERS"}])
    assert planned.row_outcomes == ["created", "rejected"]
    assert kinds(planned) == [("account", "create"), ("contact", "create")]


def test_accounts_are_found_without_regard_to_case(ground):
    """D7: a registration is the same in small letters."""
    ground.fill("portfolio", accounts=[Entity(1, {"account_number": "123456-sp"})])
    assert ground.plan("portfolio_accounts", [ROW | NO_CONTACT]).outcomes[2]["account_id"] == 1


def test_an_account_without_a_number_does_not_make_every_account_known(ground):
    """D7: a blank number is nobody's."""
    ground.fill("portfolio", accounts=[Entity(1, {"account_name": "Nameless"})])
    row = {"account_number": "9", "identifier": "9", "full_name": "Ana", "contact_type": "DOCTOR"}
    assert ground.plan("portfolio_contacts", [row]).row_outcomes == ["rejected"]
