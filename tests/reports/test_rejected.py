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


def write_rejected(raw, headings, columns, defects, path, *more, **options):
    with path.open("w+b") as file:
        return rejected.write_rejected(raw, headings, columns, defects, file, *more, temporary=path.parent, **options)


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
