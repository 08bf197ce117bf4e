import ast
import re
from functools import cache
from pathlib import Path

import pytest

from contact_pipeline.codes import CODES

# Code → a column and a value that produce it.
OF_CELLS = {
    "email-syntax": ({"type": "email"}, "jordan.avery@"),
    "phone-invalid": ({"type": "phone"}, "12345"),
    "phone-words": ({"type": "phone"}, "do not call 202-555-0143"),
    "phone-no-region": ({"type": "phone", "region": None}, "020 7946 0123"),
    "date-format": ({"type": "date"}, "02/30/1985"),
    "email-domain-typo": ({"type": "email"}, "jordan.avery@gamil.com"),
    "date-ambiguous": ({"type": "date", "formats": ["%m/%d/%Y", "%d/%m/%Y"]}, "03/04/1984"),
    "country-unknown": ({"type": "country"}, "Atlantis"),
    "moment-format": ({"type": "moment"}, "2023-03-26 24:00"),
    "moment-year": ({"type": "moment"}, "0001-01-01T00:00:00"),
    "moment-zone": ({"type": "moment"}, "2023-03-26 11:12 EST"),
    "moment-skipped": ({"type": "moment", "zone": "Europe/Berlin"}, "2023-03-26 02:30"),
    "moment-repeated": ({"type": "moment", "zone": "Europe/Berlin"}, "2023-10-29 02:30"),
    "date-future": ({"type": "date", "field": "date_of_birth"}, "2190-01-01"),
    "date-before-1900": ({"type": "date", "field": "date_of_birth"}, "1066-10-14"),
    "ssn-format": ({"type": "ssn"}, "123-45-678"),
    "ssn-never-issued": ({"type": "ssn"}, "000-12-3456"),
    "zip-code-format": ({"type": "zip_code"}, "123456"),
    "identifier-format": ({"type": "identifier", "identifiers": ["crm", "cnpj"]}, "ABC"),
    "cnpj-check-digits": ({"type": "identifier", "identifiers": ["cnpj"]}, "11222333000180"),
    "cpf-check-digits": ({"type": "identifier", "identifiers": ["cpf"]}, "39053344706"),
    "crm-format": ({"type": "identifier", "identifiers": ["crm"]}, "123456-XX"),
    "not-a-choice": ({"type": "choice", "choices": ["DOCTOR"]}, "DOCTR"),
    "not-in-vocabulary": ({"type": "choice", "vocabulary": "specialties"}, "Cardiolgy"),
    "unknown-login": ({"type": "login"}, "nobody.here"),
    "too-long": ({"type": "text", "max_length": 5}, "longer"),
    "excel-scientific": ({"type": "text"}, "4.479E+11"),
    "required": ({"type": "text", "required": True}, None),
}
TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("code", OF_CELLS)
def test_the_code_is_what_its_example_gets(codes_of, code):
    column, value = OF_CELLS[code]
    assert codes_of([value], **column) == [code]


@pytest.mark.parametrize("code", sorted(set(CODES) - set(OF_CELLS)))
def test_a_code_that_needs_more_than_one_cell_is_shown_by_a_test(code):
    assert code in asserted_texts()


@cache
def asserted_texts():
    """Every text that an assertion of another test names."""
    tests = [ast.parse(file.read_text(encoding="utf-8")) for file in TESTS.rglob("test_*.py") if file != Path(__file__)]
    assertions = [node for test in tests for node in ast.walk(test) if isinstance(node, ast.Assert)]
    inside = (part for assertion in assertions for part in ast.walk(assertion))
    return {part.value for part in inside if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def test_a_code_that_no_test_produces_would_be_noticed():
    assert asserted_texts() >= set(CODES) - set(OF_CELLS)
    assert "no-such-code" + "-at-all" not in asserted_texts()


def test_every_code_has_a_line_in_the_documentation():
    page = (TESTS.parent / "docs" / "reference" / "codes.md").read_text(encoding="utf-8")
    assert [code for code in CODES if f"| `{code}` |" not in page] == []


@pytest.mark.parametrize("code", CODES)
def test_every_code_says_what_it_means_and_what_to_do(code):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)
    text = CODES[code]
    assert all([text.meaning, text.message, text.fix, text.example])
    used = re.findall(r"\{(\w+)\}", text.message + text.fix)
    assert set(used) <= {"column", "value", "expected", "row"}
