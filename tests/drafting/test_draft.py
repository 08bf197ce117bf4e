"""A drafted profile can be used as it is, for the very file that it was made from, and holds nobody's data."""

from pathlib import Path

import polars as pl
import pytest
import yaml

from contact_pipeline import Pipeline
from contact_pipeline.drafting import draft_profile
from contact_pipeline.errors import Refusal
from contact_pipeline.profiles import check_profile
from contact_pipeline.settings import Settings
from contact_pipeline.upload import ReadOptions

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
PEOPLE = [
    ("Rosa", "Delgado", "rosa@example.com", "(202) 555-0178"),
    ("Ari", "Bellweather", "ari@example.com", "(202) 555-0166"),
    ("Noor", "Haddad", "noor@example.org", "(202) 555-0141"),
    ("Ines", "Castello", "ines@example.net", "(202) 555-0119"),
]


def table(headings, delimiter=",", **columns):
    """A file of the four people: for each heading what `columns` or the place in PEOPLE says."""
    lines = [delimiter.join(headings)]
    for n, person in enumerate(PEOPLE):
        cells = [columns[h][n] if h in columns else person[headings[h]] for h in headings]
        lines.append(delimiter.join(cells))
    return "\n".join(lines) + "\n"


FOREIGN = {
    "google": ({"First Name": 0, "Last Name": 1, "E-mail 1 - Value": 2, "Phone 1 - Value": 3}, {}, ","),
    "outlook": ({"First Name": 0, "Last Name": 1, "E-mail Address": 2, "Mobile Phone": 3}, {}, ","),
    "hubspot": ({"First Name": 0, "Last Name": 1, "Email": 2, "Phone Number": 3}, {}, ","),
    "salesforce": ({"FirstName": 0, "LastName": 1, "Email": 2, "MobilePhone": 3}, {}, ","),
    "mailchimp": ({"Email Address": 2, "First Name": 0, "Last Name": 1, "SMS": 3}, {}, ","),
    "german": ({"Vorname": 0, "Nachname": 1, "E-Mail-Adresse": 2, "Straße": None},
               {"Straße": ["Hauptstraße 1", "Am Markt 2", "Gärtnerweg 3", "Höhe 4"]}, ";"),
    "polish": ({"Imię": 0, "Nazwisko": 1, "Adres e-mail": 2, "Data urodzenia": None},
               {"Data urodzenia": ["17.04.1984", "28.02.1990", "01.12.1975", "30.11.1968"]}, ";"),
    "japanese": ({"氏名": 0, "メールアドレス": 2, "電話番号": 3}, {}, ","),
    "one column": ({"Email": 2}, {}, ","),
}  # fmt: skip


@pytest.fixture
def draft(tmp_path):
    """Drafts a profile from a file, and gives it with its text."""

    def make(file, name="drafted", **options):
        settings = Settings(home=tmp_path / "home")
        drafted = draft_profile(file, name, ReadOptions(**options), settings)
        (tmp_path / "home" / "profiles").mkdir(parents=True, exist_ok=True)
        path = tmp_path / "home" / "profiles" / f"{name}.yaml"
        path.write_text(drafted.text, encoding="utf-8")
        return check_profile(path), drafted

    return make


@pytest.fixture
def staged(tmp_path):
    """Plans a file with the drafted profile."""

    def plan(file, name="drafted"):
        return Pipeline(home=tmp_path / "home").plan(file, profile=name)

    return plan


@pytest.mark.parametrize("source", FOREIGN)
def test_an_export_of_another_program_is_staged_without_an_error(source, draft, staged, tmp_path):
    headings, columns, delimiter = FOREIGN[source]
    file = tmp_path / "export.csv"
    file.write_text(table(headings, delimiter, **columns), encoding="cp1252" if source == "german" else "utf-8")

    profile, drafted = draft(file)
    upload = staged(file)

    assert (upload.state, upload.error_count, upload.outcomes["created"]) == ("staged", 0, 4), drafted.text
    assert profile.column_of["email"].type == "email"
    assert [rule.equal for rule in profile.match] == [["email"]]
    for person in PEOPLE:
        assert not any(value in drafted.text for value in person), drafted.text


@pytest.mark.parametrize("sample", ["dealer_leads_1.csv", "outreach_contacts_1.csv", "program_contacts_1.xlsx",
                                    "property_contacts_1.xlsx", "portfolio_contacts_1.xlsx"])  # fmt: skip
def test_a_shipped_sample_is_staged_with_few_errors(sample, draft, staged):
    """What the drafted profile rejects are the wrong cells that the samples hold on purpose."""
    _, drafted = draft(SAMPLES / sample)
    upload = staged(SAMPLES / sample)

    assert upload.state == "staged", drafted.text
    assert upload.outcomes["rejected"] <= upload.processed * 0.1, drafted.text


def test_what_was_assumed_is_said_with_its_counts(draft, tmp_path):
    file = tmp_path / "club.csv"
    rows = "".join(
        f"{n},Member {n},0{n % 8 + 1}/0{n % 7 + 2}/2019,(202) 555-01{n:02},{('Gold', 'Silver')[n % 2]},"
        f"{('Anna', 'Ingrid')[n % 2]}\n"
        for n in range(20)
    )
    file.write_text(f"Member No,Name,Joined,Phone,Level,Owner\n{rows}")

    profile, drafted = draft(file)

    assert profile.region == "US"
    assert "20 of 20 different national numbers are right in US" in drafted.text
    assert profile.column_of["joined"].formats == ["%m/%d/%Y"]
    assert "DD/MM/YYYY fits as many: ASSUMED" in drafted.text
    assert profile.column_of["level"].choices == ["Gold", "Silver"]
    assert profile.column_of["owner"].choices == []
    assert "Anna" not in drafted.text
    assert profile.match[0].equal == ["member_no"]
    assert profile.column_of["member_no"].required


def test_moments_are_told_from_days(draft, staged, tmp_path):
    """One time of day makes a column one of moments: as one of days it would be refused."""
    file = tmp_path / "crm.csv"
    rows = "".join(
        f"p{n}@example.com,3/{n + 1}/2023 {n % 12}:12,2023-03-2{n % 9 + 1} 00:00:00,2023-03-26T11:12:{n:02}Z,"
        f"2023-03-26 0{n == 7:d}:00\n"
        for n in range(1, 21)
    )
    file.write_text(f"Email,Created,Member since,Last seen,Opted in\n{rows}")

    profile, drafted = draft(file)

    types = {column.field: (column.type, column.formats) for column in profile.columns if column.field != "email"}
    assert types == {
        "created": ("moment", ["%m/%d/%Y"]),
        "member_since": ("date", []),
        "last_seen": ("moment", []),
        "opted_in": ("moment", []),
    }
    assert drafted.text.count("times say no offset from UTC") == 2
    assert staged(file).error_count == 0


def test_what_is_sensitive_is_marked(draft, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text(
        "Name,SSN,DOB,SSN of the spouse\nAri Bell,219-09-9990,1984-04-17,219099993\n"
        "Noor Had,219-09-9991,1990-02-28,\nIa Lo,219-09-9992,1968-11-30,219099994\n"
    )

    profile, drafted = draft(file)

    assert profile.sensitive_fields == {"ssn", "date_of_birth", "ssn_of_the_spouse"}
    assert "219-09" not in drafted.text
    assert "1984" not in drafted.text


def test_rows_are_told_apart_by_what_each_of_them_has(draft, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("Email,Phone\n" + "".join(f"{email},{phone}\n" for *_, email, phone in PEOPLE) + ",202-555-0111\n")

    profile, drafted = draft(file)

    assert [rule.equal for rule in profile.match] == [["phone"]]
    assert "phone: filled in 5 of 5 rows, 5 different" in drafted.text


def test_a_region_in_which_few_numbers_are_right_is_not_assumed(draft, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("Email,Phone\na@example.com,202-555-0143\nb@example.com,12\nc@example.com,34\n")

    profile, drafted = draft(file)

    assert profile.region is None
    assert "none fits: national numbers, 3 of 3, will be refused" in drafted.text


@pytest.mark.parametrize(
    "rows",
    [
        "".join(",".join(person) + "\n" for person in PEOPLE),
        "".join(f"{first} {last},X{n}\n" for n, (first, last, *_) in enumerate(PEOPLE)),
    ],
)
def test_a_file_without_headings_is_refused_as_they_would_be_peoples_data(rows, draft, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text(rows)

    with pytest.raises(Refusal, match="row 1 holds values") as refused:
        draft(file)

    assert refused.value.code == "draft-without-headings"
    assert "rosa" not in str(refused.value).casefold()


def test_a_hundred_columns_leave_room_for_those_that_a_profile_can_have(draft, staged, tmp_path):
    file = tmp_path / "wide.csv"
    headings = ["Email", *(f"Extra {n}" for n in range(99))]
    pl.DataFrame({h: [f"v{n}@example.com" if h == "Email" else f"t{n}" for n in range(5)] for h in headings}).write_csv(
        file
    )

    _, drafted = draft(file)

    assert len(drafted.left_out) == 40
    assert staged(file).error_count == 0


@pytest.mark.parametrize(
    "heading", ["=cmd()", "<script>", "a: b # c", "Name\u202e", '"quoted"', "{x}", "active", "Yes"]
)
def test_odd_headings_make_a_profile_that_loads(heading, draft, staged, tmp_path):
    file = tmp_path / "odd.csv"
    rows = {"Email": ["a@example.com", "b@example.com"], heading: ["x", "y"]}
    pl.DataFrame(rows).write_csv(file)

    _, drafted = draft(file)

    assert len(yaml.safe_load(drafted.text)["columns"]) == 2
    assert staged(file).error_count == 0
