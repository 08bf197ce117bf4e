"""A module has one concept, and a class as many methods as fit into a head; what is larger says why."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
LINES, METHODS, STATEMENTS = 400, 20, 6

LONG = {
    "contact_pipeline/match/plan.py": "the steps of matching, in one list that reads from top to bottom",
    "contact_pipeline/orchestration/serve.py": "starts, watches and ends the processes of one server",
    "contact_pipeline/pipeline/pipeline.py": "the front for programs: descriptions, and a few statements below each",
}
WITH_MANY_METHODS = {
    "Database": "the verbs of the port, each of them a statement or two",
    "Pipeline": "the front for programs",
    "Staging": "one folder: its database, the files beside it, and what becomes of it",
    "Store": "the contact database for those who look one thing up: each opens it, asks a module and closes it",
    "Upload": "what programs and people can ask of an upload; the work is in modules of the store",
}


def modules():
    for room in ("contact_pipeline", "assets", "checks"):
        for path in (ROOT / room).rglob("*.py"):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def methods(node):
    return [each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]


def classes():
    for _, text in modules():
        yield from (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef))


def test_long_modules_say_why():
    assert {name for name, text in modules() if text.count("\n") > LINES} == LONG.keys()


def test_classes_with_many_methods_say_why():
    public = {each.name: [method for method in methods(each) if not method.name.startswith("_")] for each in classes()}
    assert {name for name, found in public.items() if len(found) > METHODS} == WITH_MANY_METHODS.keys()


def test_the_front_hands_every_call_on():
    (front,) = (each for each in classes() if each.name == "Pipeline")
    sizes = {
        method.name: sum(isinstance(node, ast.stmt) for each in method.body[1:] for node in ast.walk(each))
        for method in methods(front)
        if ast.get_docstring(method)
    }
    assert len(sizes) > METHODS
    assert {name: size for name, size in sizes.items() if size > STATEMENTS} == {}
