"""Only sensitive values of the sample files are masked."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import yaml

from contact_pipeline import Pipeline
from contact_pipeline.store import Upload

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
EXPECTED = yaml.safe_load((SAMPLES / "expected.yaml").read_text(encoding="utf-8"))["uploads"]
WHOLE = 1_000_000  # rows


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    opened = Pipeline(home=tmp_path_factory.mktemp("samples") / "home")
    opened.store.load_users(SAMPLES / "users.yaml")
    opened.store.load_vocabulary("specialties", SAMPLES / "specialties.txt")
    return opened


@pytest.mark.parametrize("sample", [each["file"] for each in EXPECTED])
def test_no_value_of_a_sample_is_masked_but_the_sensitive_ones(pipeline: Pipeline, sample: str) -> None:
    """B2: masking tells a telephone number, a zip code and an account number from what is sensitive."""
    options = yaml.safe_load((SAMPLES / f"{sample}.options.yaml").read_text(encoding="utf-8")) or {}
    profile = next(name for name in pipeline.profiles()[0] if sample.startswith(name))
    upload = pipeline.plan(
        SAMPLES / sample, profile, **{name.replace("-", "_"): said for name, said in options.items()}
    )

    assert upload.processed
    hidden = {"Social security number", "Date of birth", "ssn", "date_of_birth", "before_ssn", "after_ssn",
              "before_date_of_birth", "after_date_of_birth"}  # fmt: skip
    for table in ("raw_rows", "normalized_rows", "contact_changes"):
        assert set(_masked(upload, table)) <= hidden
    assert [text for text in _said(upload) if "*" in text] == []


def _masked(upload: Upload, table: str) -> list[str]:
    """The columns of a staged table of which the preview shows another value than there is."""
    there, shown = upload.staging.table(table), upload.preview(table, WHOLE)
    return [name for name in there.columns if not there[name].cast(shown[name].dtype).equals(shown[name])]


def _said(upload: Upload) -> list[str]:
    """What is said of the upload, but for sensitive values in rejections."""
    rejections = upload.rejections.filter(~pl.col("field").is_in(["ssn", "date_of_birth"]).fill_null(value=False))
    texts = [*rejections["message"], *rejections["fix"], *rejections["value"].drop_nulls(), upload.file_name]
    return [*texts, *upload.warnings, *upload.ignored, *upload.mapping, *(str(upload.reason or ""),)]
