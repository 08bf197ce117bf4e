"""An import profile that a user wrote exports its own file, with whatever a profile can say."""

import pytest

from tests.exports.conftest import cells

CLUB = """
name: club
title: Club
address_book: club
file: {types: [csv, xlsx], delimiter: ";"%s}
headings: mapped
region: DE
columns:
  - {field: email, heading: Mail, type: email, required: true}
  - {field: full_name, heading: Name, type: name, split: true}
  - {field: first_name, heading: First, type: name, title_case: true}
  - {field: last_name, heading: Last, type: name}
  - {field: phone, headings: [Mobile, Home], type: phone}
  - {field: country, heading: Country, type: country}
  - {field: zip_code, heading: Zip, type: zip_code}
  - {field: born, heading: Born, type: date, formats: [DD.MM.YYYY]}
  - {field: topics, heading: Topics, type: list, separator: ","}
  - {field: vip, heading: VIP, type: boolean, kind: boolean}
  - {field: level, heading: Level, type: choice, choices: [Gold, Silver], blank_means: Silver}
match: [{equal: [email]}]
matched: update
blank: overwrite
on_error: block
apply: approval
"""
ROWS = [
    [
        "ada@example.com",
        "",
        "Ada",
        "Byron",
        "030 23125000",
        "",
        "DE",
        "10115",
        "31.12.1999",
        "a\\, b, c",
        "yes",
        "Gold",
    ],
    ["bo@example.com", "", "Bo", "Lee", "", "+12025550143", "US", "02139", "", "", "no", ""],
    ["cy@example.com", "Cy Müller", "", "", "", "", "", "", "", "N\\, O", "", "Gold"],
    ["di@example.com", "", "", "", "", "", "AT", "1010", "29.02.2000", "x", "", ""],
]


@pytest.fixture
def club(pipeline):
    def write(encoding=""):
        pipeline.settings.profiles_path.mkdir(parents=True, exist_ok=True)
        (pipeline.settings.profiles_path / "club.yaml").write_text(CLUB % encoding, encoding="utf-8")

    return write


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_the_mark_of_an_encoding_stands_at_the_beginning_alone(pipeline, club, tmp_path, encoding):
    club(f", encoding: {encoding}")
    (tmp_path / "in.csv").write_text("Mail;Level\nann@example.com;Gold\n", encoding=encoding)
    pipeline.apply(pipeline.plan(tmp_path / "in.csv", "club").upload_id)

    pipeline.export(tmp_path / "out.csv", "club")

    lines = (tmp_path / "out.csv").read_text(encoding=encoding).splitlines()
    assert [line.partition(";")[0] for line in lines] == ["Mail", "ann@example.com"]


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
@pytest.mark.parametrize("encoding", ["", ", encoding: latin-1"])
def test_its_file_comes_back_unchanged(pipeline, club, tmp_path, plan_again, ending, encoding):
    club(encoding)
    headings = ["Mail", "Name", "First", "Last", "Mobile", "Home", "Country", "Zip", "Born", "Topics", "VIP", "Level"]
    file = tmp_path / "first.csv"
    text = "\n".join(";".join(row) for row in [headings, *ROWS])
    file.write_text(text, encoding="latin-1" if encoding else "utf-8")
    first = pipeline.plan(file, "club")
    assert (first.state, first.outcomes["created"]) == ("staged", 4), first.line.reason
    pipeline.apply(first.upload_id)

    written, again = plan_again("club", ending=ending)

    assert (written.rows, written.left_out) == (4, ())
    assert (again.state, again.outcomes["unchanged"]) == ("staged", 4), again.changes.rows(named=True)


def test_dates_lists_and_answers_are_written_as_the_profile_has_them(pipeline, club, insert, tmp_path):
    club()
    with pipeline.store.change() as database:
        for name, kind in {"born": "VARCHAR", "topics": "VARCHAR[]", "vip": "BOOLEAN", "level": "VARCHAR"}.items():
            database.run(f"ALTER TABLE contacts ADD COLUMN {name} {kind}")
    insert("club", {"email": "ada@example.com", "born": "2000-02-29", "topics": ["a, b", "c"], "vip": False,
                    "level": "Gold"})  # fmt: skip

    pipeline.export(tmp_path / "out.csv", "club")

    line = (tmp_path / "out.csv").read_text(encoding="utf-8-sig").splitlines()[1]
    assert line == "ada@example.com;;;;;;;;29.02.2000;a\\, b, c;no;Gold"


def test_what_the_profile_would_change_is_left_out(pipeline, club, insert, tmp_path):
    club()
    with pipeline.store.change() as database:
        database.run("ALTER TABLE contacts ADD COLUMN level VARCHAR")
    gold = {"level": "Gold"}
    insert("club", {"email": "a@example.com"}, {"full_name": "Ada"} | gold,
           {"email": "b@example.com", "first_name": "ADA", "full_name": "ADA"} | gold,
           {"email": "c@example.com", "full_name": "Cy Lee"} | gold, {"email": "d@example.com"} | gold)  # fmt: skip

    written = pipeline.export(tmp_path / "out.csv", "club")

    assert {each.ids: each.why for each in written.left_out} == {
        (1,): "a blank in 'Level' would mean 'Silver'",
        (2,): "'Mail' is required, and blank",
        (3,): "'First' holds what importing would refuse or read otherwise",
        (4,): "importing would put their names together, or take them apart",
    }
    assert [row[0].split(";")[0] for row in cells(tmp_path / "out.csv")[1:]] == ["d@example.com"]


def test_a_sign_that_the_declared_encoding_lacks_is_refused(pipeline, club, insert, tmp_path):
    from contact_pipeline.errors import Refusal

    club(", encoding: latin-1")
    insert("club", {"email": "a@example.com", "zip_code": "€"})
    with pipeline.store.change() as database:
        database.run("ALTER TABLE contacts ADD COLUMN level VARCHAR")
        database.run("UPDATE contacts SET level = 'Gold', full_name = 'Łucja', zip_code = NULL, first_name = 'Łucja'")

    with pytest.raises(Refusal) as refused:
        pipeline.export(tmp_path / "out.csv", "club")

    assert refused.value.code == "encoding"
    assert not (tmp_path / "out.csv").exists()
