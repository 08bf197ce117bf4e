"""Every file of the corpus gives the rows, the rejections or the refusal that stand beside it."""

import collections

import polars as pl
import pytest

from contact_pipeline.errors import Refusal
from contact_pipeline.settings import Settings
from contact_pipeline.upload import raw_paths, read_upload
from tests.corpus import delimited_cases, workbook_cases
from tests.corpus.case import Case

CASES = [*delimited_cases.cases(), *workbook_cases.cases()]


def test_there_are_enough_files_and_each_has_its_name():
    assert len(CASES) >= 150
    assert [name for name, count in collections.Counter(case.name for case in CASES).items() if count > 1] == []


def read_case(case: Case, path, tmp_path):
    return read_upload(path, path.name, None, case.options, tmp_path / "staged", Settings(), known=case.known)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_gives_what_is_expected(tmp_path, case: Case):
    path = case.write(tmp_path)

    if case.refusal:
        with pytest.raises(Refusal) as refused:
            read_case(case, path, tmp_path)
        assert (refused.value.code, refused.value.file) == (case.refusal, case.name)
        assert case.says in refused.value.message
        assert refused.value.fix
        return

    upload = read_case(case, path, tmp_path)
    rows = pl.concat([pl.read_parquet(part) for part in raw_paths(tmp_path / "staged")])
    numbers = [n for n in range(case.first_row, case.first_row + upload.data_rows) if n not in case.unreadable]
    assert upload.headings == case.headings
    assert [[cell or "" for cell in row] for row in rows.select(upload.columns).rows()] == case.rows
    assert rows["row_number"].to_list() == numbers
    assert upload.rejections["row_number"].to_list() == case.unreadable
    assert upload.cell_errors.select("row_number", "column", "text").rows() == case.errors
    assert upload.data_rows == len(case.rows) + len(case.unreadable)
    assert case.says in " ".join(upload.warnings)
