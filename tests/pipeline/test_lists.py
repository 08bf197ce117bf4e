"""What the values of a list do to those that a contact has: join them or take their place; a merge unites them."""

import pytest

from contact_pipeline.errors import Refusal

READERS = """
name: readers
title: Readers
address_book: readers
file: {{types: [csv]}}
headings: mapped
columns:
  - {{field: email, heading: Email, type: email, required: true}}
  - {{field: tags, heading: Tags, type: list, separator: ","{lists}}}
match: [{{equal: [email]}}]
matched: {matched}
within_file: {within}
blank: {blank}
on_error: reject
apply: approval
options: {{rule: {rules}}}
"""


@pytest.fixture
def readers(pipeline, write):
    """Imports a file of readers, each row an address and tags; the tags of every contact by address."""

    def send(*rows, lists="", matched="update", within="first_wins", blank="keep", rules="[]", chosen=None):
        pipeline.settings.profiles_path.mkdir(parents=True, exist_ok=True)
        (pipeline.settings.profiles_path / "readers.yaml").write_text(
            READERS.format(
                lists=lists and f", lists: {lists}", matched=matched, within=within, blank=blank, rules=rules
            )
        )
        cells = [(f"{name}@example.com", tags) for name, tags in rows]
        upload = pipeline.plan(write("readers.csv", ["Email", "Tags"], cells), "readers", user="d.rivers", lists=chosen)
        if upload.line.reason:
            raise Refusal(**upload.line.reason)
        pipeline.apply(upload.upload_id, user="d.rivers")
        return {c["email"].partition("@")[0]: c["tags"] for c in pipeline.store.contacts()}

    return send


@pytest.mark.parametrize(
    ("profile", "option", "expected"),
    [
        ({}, None, ["2026"]),
        ({"lists": "replace"}, None, ["2026"]),
        ({"lists": "add"}, None, ["2025", "VIP", "2026"]),
        ({"lists": "add"}, "replace", ["2026"]),
        ({"lists": "replace"}, "add", ["2025", "VIP", "2026"]),
        ({"matched": "merge"}, None, ["2025", "VIP", "2026"]),
        ({"matched": "merge", "blank": "fill"}, "add", ["2025", "VIP", "2026"]),
        ({"lists": "add", "blank": "overwrite"}, None, ["2025", "VIP", "2026"]),
    ],
)
def test_lists_are_added_or_replaced_as_the_column_or_the_upload_says(readers, profile, option, expected):
    readers(("ana", "2025,VIP"), ("ben", "2025"), **profile)

    found = readers(("ana", "2026"), ("cy", "2026, 2026"), **profile, chosen=option)

    assert found == {"ana": expected, "ben": ["2025"], "cy": ["2026"]}


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ({"lists": "add"}, ["2025"]),
        ({"lists": "add", "blank": "overwrite"}, ["2025"]),  # a blank adds nothing
        ({"lists": "replace"}, ["2025"]),
        ({"lists": "replace", "blank": "overwrite"}, None),
    ],
)
def test_a_blank_takes_a_list_away_only_where_it_replaces_and_overwrites(readers, profile, expected):
    readers(("ben", "2025"), **profile)

    assert readers(("ben", ""), **profile) == {"ben": expected}


def test_values_that_are_there_are_not_added_again(readers, pipeline):
    readers(("ana", "2025,VIP"))
    readers(("ana", "VIP,2025"), lists="add")

    assert readers(("ana", "VIP,New,2025"), lists="add") == {"ana": ["2025", "VIP", "New"]}
    assert [line.unchanged for line in pipeline.store.lines()] == [0, 1, 0]


@pytest.mark.parametrize("lists", ["add", "replace"])
def test_rows_that_are_merged_within_a_file_unite_their_lists(readers, lists):
    profile = {"lists": lists, "within": "merge"}
    readers(("dora", "2024"), **profile)

    found = readers(("dora", "2026"), ("dora", ""), ("dora", "Speaker,2026"), **profile)

    assert found == {"dora": [*(["2024"] if lists == "add" else []), "2026", "Speaker"]}


def test_a_separator_behind_a_backslash_is_part_of_a_value(readers, pipeline):
    assert readers(("cy", r"very\, cool\, label"), ("eve", r"a\,b,c"), ("fay", "C:\\x,d")) == {
        "cy": ["very, cool, label"],
        "eve": ["a,b", "c"],
        "fay": ["C:\\x", "d"],
    }
    assert pipeline.store.lines()[0].repairs == 0


def test_a_merge_replaces_no_list(readers):
    with pytest.raises(Refusal, match="does not offer lists 'replace'"):
        readers(("ana", "2026"), matched="merge", chosen="replace")
    with pytest.raises(Refusal, match="lists are united"):
        readers(("ana", "2026"), matched="merge", lists="replace")


def test_undo_takes_the_added_values_away(readers, pipeline):
    readers(("ana", "2025"))
    readers(("ana", "2026"), lists="add")

    pipeline.undo(pipeline.store.lines()[0].upload_id, user="d.rivers")

    assert pipeline.store.contacts()[0]["tags"] == ["2025"]
