"""Delimited files for a spreadsheet program: marked as UTF-8, and no cell of them is calculated there."""

import io

import polars as pl
import pytest

from contact_pipeline.reports.spreadsheet import write_text_table


def written(*cells, headings=None, delimiter=","):
    file = io.BytesIO()
    rows = pl.DataFrame([cells], schema={f"cell {n}": pl.String for n in range(len(cells))}, orient="row")
    write_text_table(rows, headings or [f"H{n}" for n in range(len(cells))], file, delimiter)
    return file.getvalue()


def test_a_mark_says_that_the_file_is_utf_8():
    assert written("Jiří Dvořák", "山田") == "\ufeffH0,H1\nJiří Dvořák,山田\n".encode()


@pytest.mark.parametrize("cell", ["=1+1", "+12025550145", "-5", "@SUM(A1)", " =cmd", "\t=1", '=HYPERLINK("x")'])
def test_what_would_be_calculated_gets_an_apostrophe(cell):
    read = pl.read_csv(written(cell, "x"), infer_schema=False)
    sign = cell.lstrip()
    assert read.row(0) == (f"{cell.removesuffix(sign)}'{sign}", "x")


@pytest.mark.parametrize("cell", ["O'Neil", "'s-Gravenhage", "a=b", "1-2", "name@example.com", "'=1", None])
def test_other_cells_stay_as_they_are(cell):
    read = pl.read_csv(written(cell, "x"), infer_schema=False)
    assert read.row(0) == (cell, "x")


def test_headings_may_stand_twice_and_are_not_calculated_either():
    assert written("a", "b", headings=["Phone", "Phone"], delimiter=";") == b"\xef\xbb\xbfPhone;Phone\na;b\n"
    assert written("a", headings=["=1"]) == b"\xef\xbb\xbf'=1\na\n"
