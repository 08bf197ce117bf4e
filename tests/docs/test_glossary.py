"""The words of the glossary are used, and the words that it avoids are not.

A word to avoid may not stand in a name, a message or a page. Some have another sense as well, which a machine cannot
tell apart: these are listed with it, and only the phrases that have the avoided sense are looked for.
"""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHOWN_PAGES = ("README.md", "docs/*.md")
GENERATED = {"behaviours.md", "trust.md"}  # of the names of tests
SQL = re.compile(r"\b(SELECT|FROM|WHERE|UPDATE|INSERT|CREATE|JOIN|CASE|NULL)\b")
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

# Word to avoid → the sense in which it is used all the same.
OTHER_SENSES = {
    "active": "of a contact",
    "alert": "of Prometheus",
    "archive": "a file that packs others",
    "attribute": "of Python, XML and Dagster's YAML",
    "batch": "some rows at a time",
    "check": "Dagster's, Pandera's, and the calls that test something",
    "clean": "rows without the cells that went to the notes; Dagster's records without a person",
    "colliding": "the step that finds the rows which are then decided in turn",
    "column name": "a column that is named",
    "config": "Dagster's and Pydantic's",
    "conflict": "what an undo leaves alone",
    "delete": "a file, or rows of a table",
    "exception": "of a statement: what it does not hold for; of Python",
    "follow": "what comes next",
    "format": "of dates and of files",
    "glance": "a short look into the ledger",
    "hash": "SHA-256",
    "header": "of HTTP, of a database file, of an archive",
    "ignored": "a column that no field takes, or a duplicate",
    "index": "from keys to contacts; Dagster's page",
    "job": "Dagster's; work",
    "list": "several values, or what is printed one by one",
    "load": "users, vocabularies, modules and pages",
    "log": "of a program, of DuckDB",
    "mapping": "heading to field, key to value; what people call remembered values on the command line",
    "missing": "a file, a column or an option that should be there",
    "mode": "of a file, of a lock, of a page",
    "null": "of SQL",
    "parse": "the options file",
    "pending": "a migration",
    "publish": "the view of contacts without what is held",
    "query": "of SQL",
    "recipient": "within one address of Apprise",
    "report": "a file about an upload",
    "retry": "of a feed's connection",
    "search": "bytes and texts for what must not be in them; a browser's",
    "skipped": "a row in review that a person skips; an hour that clocks skip",
    "source": "the place of a feed; the file that is taken",
    "status": "of HTTP, of a process, of a run, of a feed",
    "sync": "of files to the disk",
    "template": "a blank file of a profile; of a page",
    "timestamp": "of Dagster's events",
    "version": "of the program, a format or a file",
    "workspace": "Dagster's; a database in memory",
}
# Phrase that has an avoided sense → an example of it.
IN_THE_AVOIDED_SENSE = {
    r"\b(change|upload|changeset)s? (is|are) active\b|\bactive (change|changeset|upload)s?\b": "active changes",
    r"\barchiv(e|ed|es|ing) (an?|the|old|all) uploads?\b": "archive old uploads",
    r"\b(row|upload|file|contact|column)[ _]attributes?\b": "column attributes",
    r"\b(upload|import)[ _](batch|job)(es|s)?\b|\b(batch|job)[ _](id|number) of (an|the) upload\b": "import job",
    r"\bclean(s|ed|ing)? (up )?(the |a )?(values?|cells?)\b": "cleans the values",
    r"\bcolliding rows? (is|are) decided\b": "colliding rows are decided",
    r"\b(profile|source)[ _](config|configuration|template)s?\b|\bconfig(uration)? files?\b": "config file",
    r"\brows? in conflict\b|\bconflicting rows?\b": "conflicting rows",
    r"\bdelet(e|es|ed|ing) (a|the|one|this) person\b|\b(person|people) (is|are|was|were) deleted\b": "delete a person",
    r"\b(row|cell|rejected)[ _]exceptions?\b": "row exceptions",
    r"\bfollow-up (file|upload)s?\b|\bretr(y|ies) (of|uploads?)\b": "follow-up upload",
    r"\bat one glance\b|\bglance[ _](path|values?)\b": "glance path",
    r"\bhash of (a|the) (value|row|key)s?\b": "hash of the row",
    r"\bheader[ _](row|line|cell|name)s?\b|\b(column|csv|sheet)[ _]headers?\b": "header row",
    r"\bignored (by (a person|somebody)|on request)\b": "ignored on request",
    r"\brow[ _]ind(ex|exes|ices)\b|\bindex of (a|the) row\b": "row index",
    r"\b(load|sync|loads|syncs|loaded|synced) (a|the|its) (changeset|changes)\b": "load the changeset",
    r"\b(upload|import)[ _](log|journal)s?\b": "import log",
    r"\b(cell|value|field)s? (is|are) (null|missing)\b|\b(null|missing)[ _]cells?\b": "cells are null",
    r"\bblank(s)?[ _]modes?\b|\bmode of blanks?\b": "blank mode",
    r"\bpars(e|es|ed|ing) (the |a )?(values?|cells?|dates?)\b": "parses the dates",
    r"\bpublish(es|ing)? (the|its|an?|these) (changes?|upload|contacts?)\b": "Publish the changes",
    r"\bquer(y|ies) for (a )?(contacts?|people|person)\b|\b(contact|person)[ _]search\b": "contact search",
    r"\bcontact[ _]lists?\b|\blist of contacts of a profile\b": "contact list",
    r"\bskipp(ed|ing) (cells?|columns?)\b": "skipped cells",
    r"\bsource files? (is|are) kept\b|\bkept sources?\b": "kept source",
    r"\b(row|upload)[ _]status(es)?\b|\bstatus of (a|an|the|each) (row|upload)\b": "row status",
    r"\buploads? (is|are|was|were) held\b(?! back| until)": "the upload is held",
    r"\bversion of (a|the) (commit|contact|contacts)\b": "version of the contact",
}
# A word of the glossary that could mean much → the modules in which a name has it, and always means the same.
ONE_SENSE = {
    "held": {  # not published yet
        "cli/upload_view", "contracts/ledger", "orchestration/approval", "orchestration/turns", "reports/headline",
        "store/effective", "store/schema", "store/upload",
    },
    "guard": {  # a limit of the profile
        "match/guards", "orchestration/checking", "pages/review/head", "profiles/model", "profiles/options",
        "change_guard", "deactivation_guard", "encoding_guard", "rejection_guard",
    },
}  # fmt: skip


@cache
def glossary():
    """Word → the words to avoid for it."""
    lines = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")]
    found = {}
    for word, _, avoided in (row for row in rows if row[0] not in {"word", "---"}):
        named = re.sub(r"\(.*?\)", "", avoided).split(",")
        found.setdefault(word, set()).update(name.strip() for name in named if name.strip())
    return found


@cache
def modules():
    paths = [path for room in ("contact_pipeline", "assets", "checks") for path in (ROOT / room).rglob("*.py")]
    return {
        str(path.relative_to(ROOT).with_suffix(""))
        .removeprefix("contact_pipeline/")
        .removeprefix("checks/"): ast.parse(path.read_text(encoding="utf-8"))
        for path in paths
    }


def names(tree):
    """The names that a module gives, each as words."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = node.name
        elif isinstance(node, ast.arg):
            name = node.arg
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            name = node.id if isinstance(node, ast.Name) else node.attr
        else:
            continue
        yield " ".join(WORD.findall(name)).lower()


def messages(tree):
    """The texts of a module that are neither docstrings nor SQL nor single words."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    bodies = [
        node.body
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    explained = {id(body[0].value) for body in bodies if isinstance(body[0], ast.Expr)}
    for node in nodes:
        if id(node) not in explained and " " in node.value.strip() and not SQL.search(node.value):
            yield node.value


def pages():
    """The text of each page, without code and addresses."""
    for pattern in SHOWN_PAGES:
        for path in ROOT.glob(pattern):
            if path.name not in {"glossary.md"} | GENERATED:
                text = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)", " ", path.read_text(encoding="utf-8"), flags=re.DOTALL)
                yield path.name, text


@cache
def said():
    """Place → text: every name, message and page."""
    found = [(f"{name}: a name", "\n".join(names(tree))) for name, tree in modules().items()]
    found += [(f"{name}: a message", "\n".join(messages(tree))) for name, tree in modules().items()]
    return [*found, *pages()]


def found(pattern):
    return [(place, match[0]) for place, text in said() for match in re.finditer(pattern, text, re.IGNORECASE)]


def forms(word):
    return rf"\b{re.escape(word)}(s|es|d|ed|ing)?\b"


AVOIDED = {word for words in glossary().values() for word in words} - glossary().keys()


def test_words_to_avoid_stand_nowhere():
    assert {word: places for word in AVOIDED - OTHER_SENSES.keys() if (places := found(forms(word)))} == {}


def test_words_with_another_sense_are_to_be_avoided_and_are_used():
    assert OTHER_SENSES.keys() <= AVOIDED
    assert [word for word in OTHER_SENSES if not found(forms(word))] == []


def test_phrases_in_an_avoided_sense_stand_nowhere():
    assert {phrase: places for phrase in IN_THE_AVOIDED_SENSE if (places := found(phrase))} == {}


def test_each_phrase_is_found_in_its_example():
    assert [each for phrase, each in IN_THE_AVOIDED_SENSE.items() if not re.search(phrase, each, re.IGNORECASE)] == []


def test_words_that_could_mean_much_are_used_for_one_thing():
    using = {
        word: {
            name for name, tree in modules().items() if any(re.search(rf"\b{word}s?\b", each) for each in names(tree))
        }
        for word in ONE_SENSE
    }
    assert using == ONE_SENSE


def test_every_word_of_the_glossary_is_used():
    parts = [part for word in glossary() for part in word.removesuffix(" of notices").split(", ")]
    assert [part for part in parts if not found(inflected(part))] == []


def inflected(part):
    stems = [re.escape(each.removesuffix("e")) for each in re.split(r"[ _-]", part)]
    return r"\b" + r"\w*[ _\n-]".join(stems)
