import json

import openpyxl
import pytest

from contact_pipeline.errors import Refusal
from contact_pipeline.settings import Settings
from contact_pipeline.upload import ReadOptions, inspect_file

ASSUMED = (
    "leads.csv is not UTF-8 (line 5); Windows-1252 was assumed. "
    "It could be another: declare the encoding that the file was saved in."
)
DOUBTFUL = (
    "leads.csv could be in Windows-1252 or Mac Central European: its letters do not tell. For example José or Josť."
)


def test_a_csv_file_is_shown_as_it_stands(tmp_path):
    path = tmp_path / "leads.csv"
    path.write_bytes('Name;Phone;\r\n"Ada; L";1;\r\n\r\nGrace\r\nJosé;3;x\r\n'.encode("cp1252"))

    seen = inspect_file(path, ReadOptions(), Settings(home=tmp_path))

    assert json.loads(json.dumps(seen)) == {
        "file_type": "csv",
        "encoding": "cp1252",
        "delimiter": ";",
        "sheet": None,
        "sheets": [],
        "heading_row": 1,
        "headings": ["Name", "Phone", ""],
        "data_rows": 4,
        "rows": [
            {"row_number": 2, "cells": ["Ada; L", "1", ""]},
            {"row_number": 3, "cells": ["", "", ""]},
            {"row_number": 5, "cells": ["José", "3", "x"]},
        ],
        "unreadable": [
            {
                "row_number": 4,
                "text": "Grace",
                "code": "row-unreadable",
                "message": "Row 4 (line 4) has 1 value; the heading has 3 columns.",
            }
        ],
        "warnings": [
            ASSUMED,
            "leads.csv: column C has no heading; its values are not imported. Write a heading in row 1 to import them.",
            DOUBTFUL,
        ],
    }


def test_a_workbook_is_shown_as_it_stands(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "Contacts"
    book.active.append(["Name", "Zip"])
    book.active.append(["Ada", 2139])
    book.save(tmp_path / "contacts.xlsx")

    seen = inspect_file(tmp_path / "contacts.xlsx", ReadOptions(), Settings(home=tmp_path))

    assert (seen["sheet"], seen["sheets"], seen["delimiter"]) == ("Contacts", ["Contacts"], None)
    assert seen["rows"] == [{"row_number": 2, "cells": ["Ada", "2139"]}]


def test_a_heading_alone_is_shown(tmp_path):
    (tmp_path / "empty.csv").write_text("Name,Phone\n")

    seen = inspect_file(tmp_path / "empty.csv", ReadOptions(), Settings(home=tmp_path))

    assert (seen["headings"], seen["data_rows"], seen["rows"]) == (["Name", "Phone"], 0, [])


def test_a_file_of_nothing_is_refused(tmp_path):
    (tmp_path / "empty.csv").write_text("")

    with pytest.raises(Refusal) as refused:
        inspect_file(tmp_path / "empty.csv", ReadOptions(), Settings(home=tmp_path))

    assert refused.value.code == "file-empty"
