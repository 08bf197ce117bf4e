"""A file that is written for a spreadsheet program gives the same values when it is sent again."""

import csv
from itertools import product

import pytest
import xlsxwriter

from contact_pipeline.reports.corrections import give_back_rejected
from tests.pipeline.conftest import OUTREACH
from tests.thorough import spread

# Names that begin like formulas, as files hold them or as somebody would type them to do harm.
NAMES = ["=1+1", "+Plus", "-Minus", "@home", "'=quoted", "O'Neil", "'s-Gravenhage", '=HYPERLINK("https://example.com")']


@pytest.mark.parametrize("rounds", [1, 3])
def test_rejected_rows_come_back_to_the_very_values(rounds, pipeline, outreach, tmp_path):
    rows = [
        {"first": name, "last": f"=Last{n}", "phone": "+1 202 555 0145", "email": "none at all", "account": f"-{n}"}
        for n, name in enumerate(NAMES)
    ]
    upload = outreach(*rows)
    assert upload.outcomes["rejected"] == len(NAMES)
    read = upload.normalized_rows.select("first_name", "last_name", "phone", "account_number").rows()
    for number in range(rounds):
        file = tmp_path / f"again {number}.csv"
        give_back_rejected(upload, file, pipeline.settings)
        upload = pipeline.plan(file, "outreach_contacts", group="Spring")
        assert upload.state == "staged", upload.reason
        fields = ["first_name", "last_name", "phone", "account_number"]
        assert upload.normalized_rows.select(fields).rows() == read
    text = file.read_text("utf-8-sig")
    assert not [cell for row in csv.reader(text.splitlines()) for cell in row if cell[:1] in {"=", "+", "-", "@"}]
    assert list(OUTREACH.values()) == text.splitlines()[0].split(",")[:-1]


PROFILE = """
name: members
title: Members
address_book: members
file: {{types: [csv, xlsx], delimiter: null}}
headings: {headings}
columns:
  - {{field: email, heading: Email, type: email, required: true}}
{columns}
match: [{{equal: [email]}}]
on_error: reject
apply: approval
"""
FORMULA_LIKE = ["@Ort", "=Firma", "+Bonus", "-Rabatt", " @Straße"]


@pytest.fixture
def send(pipeline, tmp_path):
    """Plans a file of rows by a profile with further columns of these headings."""
    sent = []

    def plan(file, *, headings="exact", further=(), **options):
        folder = pipeline.settings.profiles_path
        folder.mkdir(parents=True, exist_ok=True)
        columns = "\n".join(f"  - {{field: c{n}, heading: {name!r}}}" for n, name in enumerate(further))
        (folder / "members.yaml").write_text(PROFILE.format(headings=headings, columns=columns), encoding="utf-8")
        if isinstance(file, list):
            sent.append(file)
            path = tmp_path / f"sent {len(sent)}.csv"
            with path.open("w", newline="", encoding="utf-8") as lines:
                csv.writer(lines).writerows(file)
            file = path
        return pipeline.plan(file, "members", **options)

    return plan


@pytest.fixture
def given_back(pipeline, tmp_path):
    """The rejected rows of an upload, as a program has saved them: the file, and its cells."""

    def give_back(upload, how="csv"):
        file = tmp_path / f"rejected {upload.upload_id}.csv"
        assert give_back_rejected(upload, file, pipeline.settings)[1]
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.reader(lines, delimiter=upload.delimiter or ","))
        if how == "csv":
            return file, rows
        if how == "semicolons":
            with file.open("w", encoding="cp1252", newline="") as lines:
                csv.writer(lines, delimiter=";").writerows(rows)
            return file, rows
        with xlsxwriter.Workbook(file := file.with_suffix(".xlsx")) as book:
            sheet = book.add_worksheet()
            for number, row in enumerate(rows):
                for place, cell in enumerate(row):
                    sheet.write_string(number, place, cell)
        return file, rows

    return give_back


@pytest.mark.parametrize(
    ("headings", "how"),
    [("exact", "csv"), ("exact", "semicolons"), ("exact", "xlsx"), ("all", "xlsx"), ("mapped", "semicolons")],
)
def test_headings_that_begin_like_formulas_come_back(headings, how, send, given_back):
    cells = [["Email", *FORMULA_LIKE], ["no mail", *(f"={n}" for n in range(len(FORMULA_LIKE)))]]
    upload = send(cells, headings=headings, further=FORMULA_LIKE)
    fields = [f"c{n}" for n in range(len(FORMULA_LIKE))]
    assert upload.outcomes["rejected"] == 1, upload.reason["message"]
    for _ in range(2):
        file, (first, *_) = given_back(upload, how)
        assert not [heading for heading in first if heading.strip()[:1] in {"=", "+", "-", "@"}]
        upload = send(file, headings=headings, further=FORMULA_LIKE)
        assert upload.outcomes["rejected"] == 1, upload.reason["message"]
        assert upload.normalized_rows.select(fields).row(0) == tuple(cells[1][1:])


OWN = [
    (["errors"], "errors_2"),
    (["Errors", "Note"], "errors_2"),
    (["errors", "errors_2"], "errors_3"),
    (["ERRORS "], "errors_2"),
    (["Note"], "errors"),
]
WAYS = [("exact", "csv"), ("all", "xlsx"), ("mapped", "csv")]


# Seven of the fifteen have every column and every way.
@pytest.mark.parametrize(("named", "way"), spread([*product(OWN, WAYS)], 7), ids=str)
def test_a_column_of_the_file_that_is_called_errors_comes_back(named, way, send, given_back):
    (own, reasons), (headings, how) = named, way
    upload = send(
        [["Email", *own], ["no mail", *(f"own {n}" for n in range(len(own)))]], headings=headings, further=own
    )
    for _ in range(2):
        assert upload.outcomes["rejected"] == 1, upload.reason["message"]
        read = upload.normalized_rows.select(f"c{n}" for n in range(len(own))).row(0)
        assert read == tuple(f"own {n}" for n in range(len(own)))
        file, (first, row) = given_back(upload, how)
        assert first == ["Email", *own, reasons]
        assert "is not an e-mail address" in row[-1]
        upload = send(file, headings=headings, further=own)
        assert upload.ignored == [reasons]


def test_reasons_never_fill_a_field_that_the_file_did_not_have(send, given_back):
    """The profile knows a column `errors`; the file that was sent has none."""
    upload = send([["Email"], ["no mail"]], headings="mapped", further=["errors"])
    file, (first, _) = given_back(upload)
    assert first == ["Email", "errors_2"]
    again = send(file, headings="mapped", further=["errors"])
    assert (again.mapping, again.ignored) == ({"Email": "email"}, ["errors_2"])


def test_a_column_that_is_mapped_is_none_of_reasons(send, given_back):
    upload = send([["Email", "errors"], ["no mail", "mine"]], headings="mapped", further=["Note"], map={"errors": "c0"})
    assert upload.normalized_rows["c0"].to_list() == ["mine"]
    _, (headings, row) = given_back(upload)
    assert (headings, row[:2]) == (["Email", "errors", "errors_2"], ["no mail", "mine"])


def test_a_kept_mapping_is_found_for_the_rows_that_come_back(send, given_back):
    upload = send(
        [["Mail of", "Words"], ["no mail", "x"]],
        headings="mapped",
        further=["Note"],
        map={"Mail of": "email", "Words": "c0"},
        save_mapping=True,
    )
    file, _ = given_back(upload)
    again = send(file, headings="mapped", further=["Note"])
    assert (again.state, again.mapping) == ("staged", {"Mail of": "email", "Words": "c0"})
