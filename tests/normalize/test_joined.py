"""Several values in one cell, as Google's exports join them: the first one counts, and none is lost."""

import csv
import io

import polars as pl
import pytest

from contact_pipeline.headings.mapping import map_headings
from contact_pipeline.normalize import fitting_formats, joined, normalize, repairs_of
from contact_pipeline.profiles import Profile
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.terms import JOINED
from contact_pipeline.validate import noted_cells, reject

COLUMNS = [
    {"field": "first_name", "heading": "First Name", "accepts": ["Given Name"], "type": "name"},
    {"field": "last_name", "heading": "Last Name", "accepts": ["Family Name"], "type": "name"},
    {"field": "company", "heading": "Company"},
    {"field": "email", "heading": "Email", "type": "email"},
    {"field": "phone", "heading": "Phone", "type": "phone"},
    {"field": "date_of_birth", "heading": "Birthday", "type": "date"},
    {"field": "address", "heading": "Street"},
    {"field": "city", "heading": "City"},
    {"field": "region", "heading": "State"},
    {"field": "zip_code", "heading": "Zip", "type": "zip_code"},
    {"field": "country", "heading": "Country", "type": "country"},
    {"field": "tags", "heading": "Labels", "accepts": ["Group Membership"], "type": "list"},
    {"field": "notes", "heading": "Notes", "type": "list"},
]
FULL = {
    "First Name": "Ana", "Last Name": "Lima", "Birthday": "1984-04-17 ::: 1985-05-18",
    "Organization Name": "Lima Ltd ::: Dahl Garage, Inc.", "Notes": "Calls on Mondays ::: Has a dog",
    "Labels": "* myContacts ::: Friends", "E-mail 1 - Label": "Home ::: Work",
    "E-mail 1 - Value": "ana@example.com ::: ana.work@example.com", "Phone 1 - Label": "Mobile",
    "Phone 1 - Value": "(202) 555-0145 ::: (202) 555-0190", "Address 1 - Label": "Home ::: Home",
    "Address 1 - Formatted": "1 Elm St\nSalem, OR 97301\nUS ::: 2 Oak Ave, Apt 3\nBoston, MA 02108\nUS",
    "Address 1 - Street": "1 Elm St ::: 2 Oak Ave, Apt 3", "Address 1 - City": "Salem ::: Boston",
    "Address 1 - PO Box": "", "Address 1 - Region": "OR ::: MA", "Address 1 - Postal Code": "97301 ::: 02108",
    "Address 1 - Country": "US ::: US", "Address 1 - Extended Address": "",
}  # fmt: skip
SPARSE = {"First Name": "Bo", "Last Name": "Dahl", "E-mail 1 - Value": "bo@example.com", "Address 1 - City": "Salem"}
NEW = (
    "First Name,Middle Name,Last Name,Phonetic First Name,Phonetic Middle Name,Phonetic Last Name,Name Prefix,"
    "Name Suffix,Nickname,File As,Organization Name,Organization Title,Organization Department,Birthday,Notes,Photo,"
    "Labels,E-mail 1 - Label,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value,Address 1 - Label,Address 1 - Formatted,"
    "Address 1 - Street,Address 1 - City,Address 1 - PO Box,Address 1 - Region,Address 1 - Postal Code,"
    "Address 1 - Country,Address 1 - Extended Address"
)
OLD = (
    "Name,Given Name,Additional Name,Family Name,Yomi Name,Given Name Yomi,Additional Name Yomi,Family Name Yomi,"
    "Name Prefix,Name Suffix,Initials,Nickname,Short Name,Maiden Name,Birthday,Gender,Location,Billing Information,"
    "Directory Server,Mileage,Occupation,Hobby,Sensitivity,Priority,Subject,Notes,Language,Photo,Group Membership,"
    "E-mail 1 - Type,E-mail 1 - Value,Phone 1 - Type,Phone 1 - Value,Address 1 - Type,Address 1 - Formatted,"
    "Address 1 - Street,Address 1 - City,Address 1 - PO Box,Address 1 - Region,Address 1 - Postal Code,"
    "Address 1 - Country,Address 1 - Extended Address,Organization 1 - Type,Organization 1 - Name"
)
BEFORE_2024 = {
    "First Name": "Given Name", "Last Name": "Family Name", "Labels": "Group Membership",
    "Organization Name": "Organization 1 - Name", "E-mail 1 - Label": "E-mail 1 - Type",
    "Phone 1 - Label": "Phone 1 - Type", "Address 1 - Label": "Address 1 - Type",
}  # fmt: skip


def profile_of(*columns):
    return Profile.model_validate(
        {
            "name": "people", "title": "People", "address_book": "people", "file": {"types": ["csv"]},
            "headings": "mapped", "region": "US", "columns": list(columns), "apply": "approval",
            "match": [{"equal": ["first_name"]}], "on_error": "reject",
        }
    )  # fmt: skip


NAME = {"field": "first_name", "heading": "Name", "type": "name"}


@pytest.fixture
def read(raw):
    """Reads cells of one column; the values, what is kept beside each, and the repairs."""

    def of_column(texts, **column):
        profile = profile_of(NAME, {"field": "value", "heading": "Value", **column})
        rows, fields = raw(Name=["Ada"] * len(texts), Value=texts), {"Name": "first_name", "Value": "value"}
        clean, _ = normalize(rows, fields, profile, Reference())
        repairs = repairs_of(rows, clean, fields, profile, Reference())
        return clean["value"].to_list(), clean["further_value"].to_list(), repairs

    return of_column


def of_google(headings, *rows):
    """Raw rows of an export that a CSV writer has written."""
    text = io.StringIO()
    writer = csv.DictWriter(text, headings.split(","))
    writer.writeheader()
    writer.writerows(rows)
    raw = pl.read_csv(text.getvalue().encode(), infer_schema=False)
    numbers = pl.Series(range(2, raw.height + 2), dtype=pl.UInt32)
    return raw.select(numbers.alias("row_number"), numbers.alias("line_number"), *raw.columns)


@pytest.mark.parametrize(("headings", "renamed"), [(NEW, {}), (OLD, BEFORE_2024)], ids=["new", "before 2024"])
def test_whole_rows_of_googles_exports_keep_their_first_values_and_note_the_others(headings, renamed):
    own = [{renamed.get(heading, heading): cell for heading, cell in row.items()} for row in (FULL, SPARSE)]
    profile, raw = profile_of(*COLUMNS), of_google(headings, *own)
    mapping = map_headings(headings.split(","), raw.columns[2:], profile)
    clean, _ = normalize(raw, mapping.fields, profile, Reference(), None, None, mapping.places)

    assert clean.select(column["field"] for column in COLUMNS).rows() == [
        ("Ana", "Lima", "Lima Ltd", "ana@example.com", "+12025550145", "1984-04-17", "1 Elm St", "Salem", "OR",
         "97301", "US", ["* myContacts", "Friends"], ["Calls on Mondays", "Has a dog"]),
        ("Bo", "Dahl", None, "bo@example.com", None, None, None, "Salem", None, None, None, None, None),
    ]  # fmt: skip
    heading = {field: name for name, field in mapping.fields.items()}
    told = reject(clean, profile, Reference(), heading)
    assert {*told["code"]} == {"several-values", "email-several"}
    (notes,) = noted_cells(told)["notes"].to_list()
    assert sorted(notes) == sorted(
        f"[import] {heading[field]}: {value}"
        for field, value in {
            "company": "Dahl Garage, Inc.", "email": "ana.work@example.com", "phone": "+12025550190",
            "date_of_birth": "1985-05-18", "address": "2 Oak Ave, Apt 3", "city": "Boston", "region": "MA",
            "zip_code": "02108",
        }.items()
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value", "further"),
    [
        ("Boston ::: Salem", "Boston", "Salem"),
        ("Boston ::: Salem ::: Lynn", "Boston", "Salem, Lynn"),
        ("Boston ::: Boston", "Boston", None),
        ("Boston ::: boston ::: Salem", "Boston", "Salem"),
        (" ::: Boston", "Boston", None),
        ("Boston ::: ", "Boston", None),
        ("N/A ::: Boston", "Boston", None),
        ("Boston :::  ::: Salem", "Boston", "Salem"),
        ("  Boston  ::: \tSalem ", "Boston", "Salem"),
        ("Boston,\nMA ::: Salem", "Boston, MA", "Salem"),
        (" ::: ", None, None),
        ("Boston ::: Salem, MA", "Boston", "Salem, MA"),
        ("Boston:::Salem", "Boston:::Salem", None),
        ("Boston ::Salem", "Boston ::Salem", None),
        ("Boston :::Salem", "Boston :::Salem", None),
        ("Boston::: Salem", "Boston::: Salem", None),
        ("Boston :: Salem", "Boston :: Salem", None),
        ("Boston :::: Salem", "Boston :::: Salem", None),
        (":::", ":::", None),
    ],
)
def test_only_the_whole_separator_stands_between_values(read, text, value, further):
    values, kept, _ = read([text, "Rome", None])

    assert values == [value, "Rome", None]
    assert kept == [further, None, None]


@pytest.mark.parametrize(
    ("column", "text", "value", "further"),
    [
        ({"type": "name"}, "Ana ::: Bo", "Ana", "Bo"),
        ({"type": "name", "title_case": True}, "ANA ::: BO", "Ana", "Bo"),
        ({"type": "date", "formats": ["MM/DD/YYYY"]}, "04/17/1984 ::: 1985-05-18", "1984-04-17", "1985-05-18"),
        ({"type": "date"}, "0/0/00 ::: 1985-05-18", "1985-05-18", None),
        ({"type": "zip_code"}, "2139 ::: 02108", "02139", "02108"),
        ({"type": "country"}, "Deutschland ::: France ::: Germany", "DE", "FR"),
        ({"type": "country"}, "Atlantis ::: France", "Atlantis", "FR"),
        ({"type": "choice", "choices": ["Lead", "Client"]}, "client ::: LEAD", "Client", "Lead"),
        ({"type": "identifier"}, "AB-1 ::: AB-2", "AB-1", "AB-2"),
        ({"type": "ssn"}, "219-09-9990 ::: 219-09-9991", "219-09-9990", "219-09-9991"),
    ],
)
def test_every_kind_of_single_value_is_taken_apart(read, column, text, value, further):
    values, kept, _ = read([text, None], **column)

    assert (values[0], kept[0]) == (value, further)


def test_a_list_takes_all_values_as_items(raw):
    profile = profile_of(NAME, {"field": "tags", "heading": "Tags", "type": "list", "separator": ","})
    rows = raw(Name=["Ada"] * 5, Tags=["a ::: b", "a, b ::: c", " ::: a ::: a", "a:::b", "a ::: "])
    clean, _ = normalize(rows, {"Name": "first_name", "Tags": "tags"}, profile, Reference())

    assert clean["tags"].to_list() == [["a", "b"], ["a", "b", "c"], ["a"], ["a:::b"], ["a"]]


def test_a_repair_tells_the_value_that_counts(read):
    _, _, repairs = read(["2139 ::: 1067", "02139 ::: 1067"], type="zip_code")

    assert repairs.select("row_number", "column", "before", "after").rows() == [(2, "Value", "2139", "02139")]


def test_more_values_than_anyone_has_are_kept_as_they_stand(read):
    values, kept, _ = read([" ::: ".join(f"Town {number}" for number in range(5_000))])

    assert values == ["Town 0"]
    assert kept[0].startswith("Town 1, Town 2, ")
    assert kept[0].endswith("Town 4998 ::: Town 4999")


ADDRESS = [
    {"field": "address", "heading": "Street"},
    {"field": "city", "heading": "City"},
    {"field": "country", "heading": "Country", "type": "country"},
]
PARTS = {"Name": "first_name", "Street": "address", "City": "city", "Country": "country"}


def test_parts_of_an_address_stay_together(raw):
    rows = raw(
        Name=["Ada"] * 6,
        Street=["1 Elm ::: 2 Oak", " ::: 2 Oak", "1 Elm", "1 Elm ::: ", " ::: 2 Oak", "1 Elm ::: 2 Oak"],
        City=["Salem ::: Lynn", "Salem ::: Lynn", "Salem ::: Lynn", "Salem ::: Lynn", " ::: Lynn", "Salem"],
        Country=["US", "US ::: CA", None, "US ::: CA", " ::: CA", None],
    )
    clean, _ = normalize(rows, PARTS, profile_of(NAME, *ADDRESS), Reference())

    assert clean.select("address", "city", "country").rows() == [
        ("1 Elm", "Salem", "US"), (None, "Salem", "US"), ("1 Elm", "Salem", None),
        ("1 Elm", "Salem", "US"), ("2 Oak", "Lynn", "CA"), ("1 Elm", "Salem", None),
    ]  # fmt: skip
    assert clean.select("further_address", "further_city", "further_country").rows() == [
        ("2 Oak", "Lynn", None), ("2 Oak", "Lynn", "CA"), (None, "Lynn", None),
        (None, "Lynn", "CA"), (None, None, None), ("2 Oak", None, None),
    ]  # fmt: skip


def test_several_addresses_in_a_cell_come_before_those_of_another_place(raw):
    rows = raw(
        Name=["Ada", "Bo"],
        HomeStreet=["1 Elm ::: 2 Oak", None],
        HomeCity=["Salem ::: Lynn", None],
        WorkStreet=["3 Ash", "3 Ash ::: 4 Fir"],
        WorkCity=["Rome", "Rome ::: Troy"],
    )
    fields = {"Name": "first_name", "HomeStreet": "address", "WorkStreet": "address", "HomeCity": "city",
              "WorkCity": "city"}  # fmt: skip
    places = {"HomeStreet": "home", "HomeCity": "home", "WorkStreet": "work", "WorkCity": "work"}
    clean, _ = normalize(rows, fields, profile_of(NAME, *ADDRESS), Reference(), None, None, places)

    assert clean.select("address", "city", "column_of_address").rows() == [
        ("1 Elm", "Salem", None), ("3 Ash", "Rome", "WorkStreet"),
    ]  # fmt: skip
    assert clean.select("further_address", "further_city").rows() == [
        ("2 Oak, 3 Ash (WorkStreet)", "Lynn, Rome (WorkCity)"), ("4 Fir", "Troy"),
    ]  # fmt: skip


def test_a_further_postal_code_is_read_by_the_rules_of_its_own_country(raw):
    zip_code = {"field": "zip_code", "heading": "Zip", "type": "zip_code"}
    rows = raw(
        Name=["Ada", "Bo", "Cy"],
        Zip=["10115 ::: 8001", "8001 ::: 1067", "1067 ::: 4109"],
        Country=["Germany ::: Switzerland", "CH ::: DE", "DE"],
    )
    fields = {"Name": "first_name", "Zip": "zip_code", "Country": "country"}
    clean, _ = normalize(rows, fields, profile_of(NAME, zip_code, ADDRESS[2]), Reference())

    assert clean.select("zip_code", "further_zip_code").rows() == [
        ("10115", "8001"), ("8001", "01067"), ("01067", "04109"),
    ]  # fmt: skip


def test_slices_with_and_without_such_cells_have_the_same_columns(raw):
    profile = profile_of(NAME, *ADDRESS)
    frames = [
        normalize(raw(Name=["Ada"], Street=[street], City=["Salem"], Country=[None]), PARTS, profile, Reference())[0]
        for street in ("1 Elm", "1 Elm ::: 2 Oak", None)
    ]

    assert frames[0].schema == frames[1].schema == frames[2].schema
    assert list(frames[0].schema) == list(frames[1].schema)


def test_every_day_in_a_cell_tells_in_which_format_a_column_is(raw):
    column = {"field": "value", "heading": "Value", "type": "date", "formats": ["MM/DD/YYYY", "DD/MM/YYYY"]}
    rows = raw(Value=["03/04/1984 ::: 17/04/1984"])

    assert fitting_formats(lambda columns: [rows.select(columns)], {"Value": "value"}, profile_of(NAME, column)) == {
        "value": ["%d/%m/%Y"]
    }


def test_ten_values_of_a_cell_get_a_column_each_and_the_rest_stays_with_the_last():
    cells = joined._apart(pl.Series("c", [JOINED.join("abcdefghij"), JOINED.join("abcdefghijkl")]))

    assert [series.to_list() for series in cells[:9]] == [[letter, letter] for letter in "abcdefghi"]
    assert [series.to_list() for series in cells[9:]] == [["j", JOINED.join("jkl")]]
