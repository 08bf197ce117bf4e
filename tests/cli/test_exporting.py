"""`export` and `export-profiles`: what is printed, and how they end."""

import json

import pytest

DOCTORS = "title: Doctors\nof: contacts\ncolumns: [full_name, ssn]\nfilter: {where: [{field: email, blank: false}]}\n"


@pytest.fixture
def people(run, outreach):
    file = outreach("Rosa,(202) 555-0178,219-09-9990,Delgado,,AC-1,rosa@example.com,02139")
    assert run("import", file, "--profile", "outreach_contacts", "--group", "Spring", "--yes").status == 0


@pytest.mark.usefixtures("people")
def test_a_file_is_written_and_the_way_back_is_named(run, tmp_path):
    ended = run("export", "--profile", "outreach_contacts", "-o", tmp_path / "out.csv")

    assert ended.status == 0
    assert "1 contact written to" in ended.out
    assert "contact-pipeline plan" in ended.out
    assert "--profile outreach_contacts" in ended.out
    assert "in full in the file, which only you can read" in ended.err
    assert "219-09-9990" not in ended.out + ended.err


@pytest.mark.usefixtures("people")
def test_the_document_of_an_export(run, tmp_path):
    ended = run("export", "--group", "spring", "-o", tmp_path / "out.csv", "--json")

    document = ended.document
    assert document["file"] == str(tmp_path / "out.csv")
    assert (document["profile"], document["of"], document["format"], document["rows"]) == (
        "contacts", "contacts", "csv", 1,
    )  # fmt: skip
    assert document["columns"][:4] == ["contact_id", "address_book", "active", "groups"]
    assert (document["sensitive"], document["left_out"]) == (["date_of_birth", "ssn"], [])


def test_without_a_file_it_is_wrong_usage(run):
    ended = run("export")

    assert ended.status == 2
    assert "Write -o FILE" in ended.err


@pytest.mark.usefixtures("people")
def test_a_slip_in_a_filter_is_refused_with_what_was_meant(run, tmp_path):
    ended = run("export", "-o", tmp_path / "out.csv", "--group", "Sprnig")

    assert ended.status == 1
    assert "Did you mean 'Spring'?" in ended.err
    assert run("export", "-o", tmp_path / "out.csv", "--where", "emial=x").status == 2
    assert run("export", "-o", tmp_path / "out.csv", "--where", "email").status == 2


@pytest.mark.usefixtures("people")
def test_a_field_with_two_values_is_refused(run, tmp_path):
    """One of them would be forgotten, and the file be of other people."""
    ended = run(
        "export", "--where", "email=a@example.com", "--where", "email=b@example.com", "-o", tmp_path / "out.csv"
    )

    assert ended.status == 2
    assert "names 'email' twice" in ended.err
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.usefixtures("people")
def test_contacts_that_are_left_out_are_counted_with_the_reason(run, tmp_path):
    ended = run("export", "--profile", "suppression_list", "-o", tmp_path / "out.csv")

    assert ended.status == 0
    assert "1 contact left out: a blank in 'Do not contact' would mean 'yes' (1)." in ended.out
    assert "the file holds its headings alone" in ended.out


def test_profiles_are_listed_shown_and_checked(run, home, tmp_path):
    """D1: export profiles are listed, shown and checked."""
    (home / "export_profiles").mkdir(parents=True)
    (home / "export_profiles" / "doctors.yaml").write_text(DOCTORS)
    (home / "export_profiles" / "broken.yaml").write_text("title: x")

    listed, alone = run("export-profiles", "list", "--json"), run("export-profiles")
    shown, checked = run("export-profiles", "show", "doctors"), run("export-profiles", "check", home / "x.yaml")

    assert [each["name"] for each in listed.document if each["made_by"] == "own"] == ["doctors"]
    assert "doctors" in alone.out
    assert "broken.yaml" in alone.err
    assert "email is not blank" in shown.out
    assert "sensitive" in shown.out
    assert checked.status == 1
    assert run("export-profiles", "check", home / "export_profiles" / "doctors.yaml").status == 0
    assert run("export-profiles", "show", "doctor").status == 1
    refused = run("export-profiles", "check", home / "export_profiles" / "broken.yaml", "--json")
    assert json.loads(refused.out)["error"]["code"] == "profile-broken"


@pytest.mark.parametrize("words", [("list",), ("show", "portfolio_accounts")])
def test_tables_fit_eighty_columns(run, monkeypatch, words):
    monkeypatch.setenv("COLUMNS", "80")
    ended = run("export-profiles", *words)

    lines = ended.out.splitlines()
    assert (
        max(len(line) for line in lines if not line.startswith("Its columns") and "contact-pipeline " not in line) <= 80
    )


@pytest.mark.usefixtures("people")
def test_a_hostile_name_of_a_filter_does_no_harm(run, tmp_path):
    ended = run("export", "-o", tmp_path / "out.csv", "--group", "\x1b[31m<b>'; DROP TABLE contacts; --")

    assert ended.status == 1
    assert "\x1b" not in ended.err
    assert run("contacts", "list", "--json").document[0]["contact_id"] == 1
