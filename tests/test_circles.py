"""No module imports another that imports it, directly or through others. Imports in functions and for types count."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]

# Module → the module that it may import though that one imports it, since it names only its type.
FOR_TYPES = {
    ("profiles.contradictions", "profiles.model"),
    ("engines.listed", "engines.duckdb"),
    ("engines.merging", "engines.duckdb"),
    ("store.document", "store.upload"),
    ("store.waiting", "store.upload"),
}


def named(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {named(path): path for path in (ROOT / "contact_pipeline").rglob("*.py")}


def imported_by(name):
    """The modules that a module imports anywhere."""
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            for each in node.names:
                whole = f"{node.module}.{each.name}"
                yield whole if whole in MODULES else str(node.module)


def circle_in(imports):
    """A circle, or none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_imports_go_in_no_circle():
    imports = {name: {each for each in imported_by(name) if each in MODULES and each != name} for name in MODULES}
    assert circle_in(imports), "the imports for types alone"
    for name, other in FOR_TYPES:
        imports[f"contact_pipeline.{name}"].remove(f"contact_pipeline.{other}")
    assert circle_in(imports) == []


def test_a_circle_is_seen():
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}}) != []
