"""Whether a file holds a value of somebody, wherever it stands in it."""

import re

import pytest

from contact_pipeline.erase import files

SHE = re.compile("quintessa@example")


@pytest.mark.parametrize("place", range(12))
def test_a_value_that_lies_across_two_chunks_is_found(tmp_path, monkeypatch, place):
    monkeypatch.setattr(files, "_CHUNK", 20)
    (tmp_path / "a.csv").write_bytes(b"." * place + b"quintessa@example.com" + b"." * 50)
    assert files.mentions(tmp_path / "a.csv", SHE)


@pytest.mark.parametrize("before", [b"", b"x"])
def test_a_value_in_utf_16_is_found(tmp_path, before):
    (tmp_path / "a.csv").write_bytes(before + "Mail\nquintessa@example.com".encode("utf-16-le"))
    assert files.mentions(tmp_path / "a.csv", SHE)


def test_a_value_of_somebody_else_is_not_found(tmp_path):
    (tmp_path / "a.csv").write_text("Mail\nbob@example.com")
    assert not files.mentions(tmp_path / "a.csv", SHE)


def test_a_page_is_searched_without_its_escapes(tmp_path):
    pattern = re.compile("anna & sons")
    for number, text in enumerate(("<td>anna &amp; sons</td>", '{"name":"anna \\u0026 sons"}')):
        page = tmp_path / f"{number}.html"
        page.write_text(text, encoding="utf-8")
        assert files.mentions(page, pattern)
        assert not files.mentions(page.rename(page.with_suffix(".txt")), pattern)
