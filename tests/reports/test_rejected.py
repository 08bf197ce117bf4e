import openpyxl
import polars as pl
import pytest

from contact_pipeline.contracts.frames import REJECTIONS, empty
from contact_pipeline.reports import rejected
from contact_pipeline.settings import Settings
from contact_pipeline.upload import ReadOptions, inspect_file


def raw_rows(*rows):
    names = [f"column {n}" for n in range(len(rows[0]))]
    cells = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    return cells.with_row_index("row_number", offset=2), names


def rejections(*defects):
    rows = [
        {"row_number": row, "line_number": row, "code": "x", "message": message, "fix": "", "severity": severity} | more
        for row, message, severity, more in defects
    ]
    frame = pl.DataFrame(rows, schema_overrides={"row_number": pl.UInt32, "line_number": pl.UInt32})
    return pl.concat([empty(REJECTIONS), frame], how="diagonal_relaxed")


def write_rejected(raw, headings, columns, defects, path, kind, delimiter=",", *, sheet=None, encoding="utf-8", **more):
    form = rejected.Form(kind, delimiter or ",", encoding, sheet)
    with path.open("w+b") as file:
        return rejected.write_rejected(raw, headings, columns, defects, file, form, temporary=path.parent, **more)


def error(row, message, **more):
    return (row, message, "error", more)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_rejected_csv_rows_survive_re_reading_exactly(tmp_path, delimiter):
    """B8: the rows that were not uploaded, in the file's own columns, with the reason on each row."""
    odd = ["a,b;c\td|e", 'quote " and ""', "two\nlines", "carriage\rreturn\r\n", "  spaces ", '"', "'=1+1", None]
    raw, columns = raw_rows(*([text, f"row {n}"] for n, text in enumerate(odd)))
    defects = rejections(*(error(n, f"Defect, of {n}.") for n in range(2, 10)))
    path = tmp_path / "rejected.csv"

    written = write_rejected(raw, ["Text", "Text"], columns, defects, path, "csv", delimiter)

    seen = inspect_file(path, ReadOptions(delimiter=delimiter), Settings(home=tmp_path))
    assert written == 8
    assert seen["headings"] == ["Text", "Text", "errors"]
    assert [row["cells"] for row in seen["rows"]] == [
        [text or "", f"row {n}", f"Defect, of {n + 2}."] for n, text in enumerate(odd)
    ]


def test_rejected_sheet_rows_survive_re_reading_exactly(tmp_path):
    """B8: the file's own type."""
    raw, columns = raw_rows(["007", "=1+1"], ["1.0", None], ["not", "rejected"], ["TRUE", " x\ny "])
    path = tmp_path / "rejected.xlsx"

    write_rejected(
        raw, ["A", "B"], columns, rejections(error(2, "one"), error(3, "two"), error(5, "three")), path, "xlsx", None
    )

    seen = inspect_file(path, ReadOptions(), Settings(home=tmp_path))
    assert [row["cells"] for row in seen["rows"]] == [
        ["007", "=1+1", "one"], ["1.0", "", "two"], ["TRUE", " x\ny ", "three"],
    ]  # fmt: skip


def test_every_defect_of_a_row_is_told_once_and_rows_keep_their_order(tmp_path):
    """B8: with the reason on each row."""
    raw, columns = raw_rows(["a"], ["b"], ["c"])
    defects = rejections(error(4, "late"), error(2, "no name"), error(2, "no phone"), error(2, "no name"))

    write_rejected(raw, ["A"], columns, defects, tmp_path / "rejected.csv", "csv", ",")

    assert (tmp_path / "rejected.csv").read_text("utf-8-sig") == "A,errors\na,no name; no phone\nc,late\n"


def test_what_does_not_reject_a_row_is_left_out(tmp_path):
    raw, columns = raw_rows(["a"], ["b"])
    defects = rejections((2, "noted", "noted", {}), (2, "looks odd", "warning", {}), error(3, "bad"))

    assert write_rejected(raw, ["A"], columns, defects, tmp_path / "rejected.csv", "csv", ",") == 1
    assert (tmp_path / "rejected.csv").read_text("utf-8-sig") == "A,errors\nb,bad\n"


def test_a_row_that_could_not_be_split_stands_whole_in_the_first_column(tmp_path):
    """B8: the rows that were not uploaded, every one of them."""
    raw, columns = raw_rows(["a", "1"])
    defects = rejections(error(3, "too short", value=None))
    unreadable = pl.DataFrame(
        {
            "row_number": [3],
            "text": ['x,"y'],
        },
        schema_overrides={"row_number": pl.UInt32},
    )
    path = tmp_path / "rejected.csv"

    assert write_rejected(raw, ["A", "B"], columns, defects, path, "csv", ",", unreadable=unreadable) == 1
    assert inspect_file(path, ReadOptions(), Settings(home=tmp_path))["rows"][0]["cells"] == ['x,"y', "", "too short"]


def test_the_reasons_of_an_earlier_round_are_replaced(tmp_path):
    """B8: corrected and dropped again."""
    raw, columns = raw_rows(["a", "old reason"])

    write_rejected(raw, ["A", "errors"], columns, rejections(error(2, "new reason")), tmp_path / "r.csv", "csv", ",")

    assert (tmp_path / "r.csv").read_text("utf-8-sig") == "A,errors\na,new reason\n"


def test_the_cells_in_error_of_a_sheet_are_coloured_and_say_why(tmp_path):
    """B8: with the reason on each row, and on the cell."""
    raw, columns = raw_rows(["a@", "007", "x"], ["", "8", "y"], ["c", "9", "z"])
    defects = rejections(
        error(2, "no address.", column="Mail", fix="Write name@example.com."),
        error(2, "unknown.", column="Mail", fix=""),
        error(3, "missing.", column="Mail", fix="Fill it in."),
        error(3, "twice.", column="Phone#2", fix=""),
        error(4, "of the row.", column=None, fix="Leave it out."),
        (3, "odd", "warning", {"column": "Phone"}),
    )
    path = tmp_path / "rejected.xlsx"

    write_rejected(raw, ["Mail", "Phone", "Phone"], columns, defects, path, "xlsx", sheet="Leads of May")

    sheet = openpyxl.load_workbook(path)["Leads of May"]
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert {cell.coordinate: cell.comment.text for cell in cells if cell.comment} == {
        "A2": "no address. Write name@example.com.\nunknown.", "A3": "missing. Fill it in.", "C3": "twice.",
        "D4": "of the row. Leave it out.",
    }  # fmt: skip
    assert {cell.coordinate for cell in cells if cell.fill.fill_type} == {"A2", "A3", "C3", "D4"}
    assert {cell.number_format for cell in cells} == {"@"}
    assert sheet.freeze_panes == "A2"
    assert [cell.value for cell in sheet["B"]] == ["Phone", "007", "8", "9"]


def test_beyond_a_number_of_cells_a_sheet_has_only_colours(tmp_path, monkeypatch):
    monkeypatch.setattr(rejected, "_MOST_COMMENTS", 1)
    raw, columns = raw_rows(["a"], ["b"])
    path = tmp_path / "rejected.xlsx"

    write_rejected(
        raw, ["A"], columns, rejections(error(2, "one", column="A"), error(3, "two", column="A")), path, "xlsx"
    )

    cells = openpyxl.load_workbook(path).active["A"][1:]
    assert [(cell.fill.fill_type, cell.comment) for cell in cells] == [("solid", None), ("solid", None)]


@pytest.mark.parametrize("name", ["a" * 40, "Q1/Q2", "'quoted'", ""])
def test_a_name_of_a_sheet_that_excel_does_not_take_is_left(tmp_path, name):
    raw, columns = raw_rows(["a"])
    path = tmp_path / "rejected.xlsx"

    write_rejected(raw, ["A"], columns, rejections(error(2, "one")), path, "xlsx", sheet=name)

    assert openpyxl.load_workbook(path).sheetnames == ["Sheet1"]
