"""Users and vocabularies: loading them, and what is said when a file is wrong."""

import pytest

from contact_pipeline.errors import Refusal

USERS = """
- {login: ann, name: Ann Bee, roles: [Director], can_import: true}
- {login: bob, name: Bob Dee}
"""


def written(tmp_path, text, name="users.yaml"):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def test_users_are_loaded_with_their_roles(store, tmp_path):
    """E1: role and import flag, which default to none and off."""
    store.load_users(written(tmp_path, USERS))
    ann, bob = store.users()
    assert (ann.login, ann.roles, ann.can_import) == ("ann", ["Director"], True)
    assert (bob.roles, bob.can_import) == ([], False)
    assert store.reference().logins == {"ann", "bob"}


def test_loading_users_replaces_those_there_were(store, tmp_path):
    """D4: a login that is gone is no longer known."""
    store.load_users(written(tmp_path, USERS))
    store.load_users(written(tmp_path, "- {login: cid, name: Cid}"))
    assert [user.login for user in store.users()] == ["cid"]


def test_a_user_is_found_without_regard_to_case(store, tmp_path):
    """E1: ANN is ann; nobody is nobody."""
    store.load_users(written(tmp_path, USERS))
    assert store.user("ANN").name == "Ann Bee"
    assert store.user("dan") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {login: ann, name: Ann, role: [director]}", "0.role"),
        ("- {name: Ann}", "0.login"),
        ("- {login: ann, name: Ann}\n- {login: '', name: Bob}", "1.login"),
        ("login: ann", "the top"),
        ("- {login: ann", "line"),
        ("- {login: ann, name: A\x07nn}", "control characters"),
    ],
    ids=["an unknown key", "a missing key", "a blank login", "no list", "no YAML", "a control character"],
)
def test_a_users_file_that_is_wrong_is_refused_by_entry_and_key(store, tmp_path, text, said):
    """E1: what is wrong and where; the users there were stay."""
    store.load_users(written(tmp_path, USERS))
    with pytest.raises(Refusal) as refused:
        store.load_users(written(tmp_path, text, "wrong.yaml"))
    assert refused.value.code == "users-file"
    assert "wrong.yaml" in refused.value.message
    assert said in refused.value.message
    assert len(store.users()) == 2


def test_a_users_file_that_is_not_there_is_refused(store, tmp_path):
    """E1: one clear message."""
    with pytest.raises(Refusal, match=r"nowhere.yaml cannot be read"):
        store.load_users(tmp_path / "nowhere.yaml")


def test_a_vocabulary_is_its_lines_in_order_without_blanks_and_repetitions(store, tmp_path):
    """D7: the registered values, tidied."""
    lines = "\ufeffSurgery\n\n  Internal   medicine \nSurgery\n"
    values = store.load_vocabulary("specialties", written(tmp_path, lines, "specialties.txt"))
    assert values == ["Surgery", "Internal medicine"]
    assert store.vocabularies() == {"specialties": ["Surgery", "Internal medicine"]}


def test_loading_a_vocabulary_replaces_it_and_no_other(store, tmp_path):
    """D7: values that are gone are no longer registered."""
    for name, text in (("specialties", "Surgery"), ("regions", "North"), ("specialties", "Pediatrics")):
        store.load_vocabulary(name, written(tmp_path, text, "values.txt"))
    assert store.vocabularies() == {"regions": ["North"], "specialties": ["Pediatrics"]}


@pytest.mark.parametrize(("content", "said"), [(b"\n \n", "holds no value"), (b"Cir\xfargia", "cannot be read")])
def test_a_vocabulary_file_that_is_wrong_is_refused(store, tmp_path, content, said):
    """D7: nothing in it, or not UTF-8."""
    file = tmp_path / "values.txt"
    file.write_bytes(content)
    with pytest.raises(Refusal, match=rf"values.txt {said}") as refused:
        store.load_vocabulary("specialties", file)
    assert refused.value.code == "vocabulary-file"


def test_a_mapping_is_kept_for_files_with_the_same_headings_in_any_order(store):
    """E6: by profile."""
    store.save_mapping("dealer_leads", ["Who", "Mail to"], {"c1": "full_name", "c2": "email"}, ["c1", "c2"])
    expected = {"Who": "full_name", "Mail to": "email"}
    assert store.saved_mapping("dealer_leads", ["Mail to", "Who"]) == expected
    assert store.saved_mapping("dealer_leads", ["Who"]) == {}
    assert store.saved_mapping("outreach_contacts", ["Who", "Mail to"]) == {}


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda store: store.line("none"), "upload-unknown"),
        (lambda store: store.contact(7), "contact-unknown"),
        (lambda store: store.account("7"), "account-unknown"),
    ],
    ids=["upload", "contact", "account"],
)
def test_what_is_not_there_is_said_with_where_to_look(store, ask, code):
    """B7: no traceback for a wrong number."""
    with pytest.raises(Refusal) as refused:
        ask(store)
    assert refused.value.code == code
    assert "lists them" in refused.value.fix
