"""The examples on the page of values: each gives the value and the silence, repair, warning or refusal that it says."""

import json
import re
from pathlib import Path

import pytest

from contact_pipeline.cli.app import run
from contact_pipeline.codes import CODES

PAGE = Path(__file__).parents[2] / "docs" / "values.md"
LINE = re.compile(r"^\| `([^`]+)` \| `([^`]+)` \| (?:`([^`]*)`)? ?\| (\w+)(?:: (.+))? \|$", re.MULTILINE)
EXAMPLES = LINE.findall(PAGE.read_text(encoding="utf-8"))


def test_every_line_of_the_table_is_tried():
    table = PAGE.read_text(encoding="utf-8").split("## Values")[1].split("##")[0]
    assert len(EXAMPLES) == sum(line.startswith("| `") for line in table.splitlines()) > 15


@pytest.mark.parametrize(("field", "text", "becomes", "how", "what"), EXAMPLES)
def test_a_value_becomes_what_the_page_says(field, text, becomes, how, what, capsys, tmp_path):
    name, *options = field.split()
    run(["value", name, text, *options, "--json", "--unmasked", "--home", str(tmp_path)])
    (judged,) = json.loads(capsys.readouterr().out)
    value = judged["value"]
    assert (json.dumps(value) if isinstance(value, bool) else value) == (becomes or None)
    severity = CODES[judged["code"]].severity if judged["code"] else None
    match how:
        case "silence":
            assert (judged["valid"], judged["code"], judged["repairs"]) == (True, None, [])
        case "repair":
            assert (judged["valid"], judged["code"], [each["why"] for each in judged["repairs"]]) == (
                True,
                None,
                [what],
            )
        case "warning":
            assert (judged["valid"], judged["code"], severity) == (True, what, "warning")
        case "refused":
            assert (judged["valid"], judged["code"], severity) == (False, what, "error")
        case _:
            pytest.fail(f"'{how}' is no way")
