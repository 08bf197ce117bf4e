"""The page that lists which tests show which behaviour."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "docs" / "generate_behaviours.py"


@pytest.fixture
def project(tmp_path):
    (tmp_path / "behaviours.yaml").write_text('"A. Section":\n  A1: First thing.\n  A2: Second thing.\n')
    (tmp_path / "tests" / "apply").mkdir(parents=True)
    return tmp_path


def write_test(project, docstring):
    (project / "tests" / "apply" / "test_one.py").write_text(f'def test_it_works():\n    """{docstring}"""\n')


def generate(project, *arguments):
    command = [sys.executable, SCRIPT, *arguments, "--behaviours", project / "behaviours.yaml"]
    command += ["--tests", project / "tests", "--page", project / "behaviours.md"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_behaviour_is_listed_with_the_tests_that_name_it(project):
    write_test(project, "A1: it works.")
    assert generate(project).returncode == 0
    page = (project / "behaviours.md").read_text()
    assert "| A1 | First thing. | `tests/apply/test_one.py::test_it_works` |" in page
    assert "| A2 | Second thing. | not yet |" in page


def test_a_test_may_name_several_behaviours(project):
    write_test(project, "A1, A2: they work.")
    generate(project)
    assert "not yet" not in (project / "behaviours.md").read_text()


def test_a_fresh_page_passes_the_check(project):
    generate(project)
    assert generate(project, "--check").returncode == 0


def test_a_stale_page_fails_the_check_and_is_left_alone(project):
    generate(project)
    before = (project / "behaviours.md").read_text()
    write_test(project, "A1: it works.")
    checked = generate(project, "--check")
    assert checked.returncode == 1
    assert "stale" in checked.stderr
    assert (project / "behaviours.md").read_text() == before


@pytest.mark.parametrize(
    ("docstring", "said"),
    [("A3: no such thing.", "has no behaviour A3"), ("A1 and A2: they work.", "write the behaviour ids as")],
)
def test_ids_that_mean_nothing_are_named(project, docstring, said):
    write_test(project, docstring)
    generated = generate(project)
    assert generated.returncode == 1
    assert said in generated.stderr
    assert "test_one.py:1: test_it_works" in generated.stderr
