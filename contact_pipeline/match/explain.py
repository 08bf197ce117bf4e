"""Explains how matching decided about one row: its keys, whom each rule finds, and what decided in the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from contact_pipeline.engines import Tables, literal
from contact_pipeline.errors import listed
from contact_pipeline.masking import TOLD, Looks, mask_value
from contact_pipeline.match.decide import rule_of
from contact_pipeline.match.keys import key_column, whole_keys
from contact_pipeline.match.part import NAME_PARTS, Part
from contact_pipeline.profiles import NAME, MatchRule


def explain_keys(database: Tables, part: Part, row: int) -> list[str]:
    """The keys by which the row is compared, in words; sensitive ones are masked. Empty where it lacks this part."""
    if not part.rules:
        return ["No rule applies: the file has none of the columns that the profile compares."]
    keys = _keys(database, part, row)
    if not keys:
        return []
    given = [f"{_label(part, name)} '{mask_value(key, _looks(part, name))}'" for name, key in keys.items() if key]
    blank = [_label(part, name) for name, key in keys.items() if not key]
    compared = [f"Compared by {listed(given)}." if given else "The row has no value to compare by."]
    return [*compared, *([f"Not compared by {listed(blank)}: blank, taken out, or a placeholder."] if blank else [])]


def explain_rules(database: Tables, part: Part, row: int) -> list[str]:
    """For each rule, in order, the contacts or accounts that it finds, as of the snapshot."""
    keys = _keys(database, part, row)
    if not keys:
        return []
    found: dict[int, list[dict[str, Any]]] = {}
    pairs = database.records(f"""
        SELECT {rule_of("rank")} AS rule, candidate, representative, differs FROM {part.table("pairs")}
        WHERE row_number = {row} ORDER BY rank, candidate""")
    for pair in pairs:
        found.setdefault(pair["rule"], []).append(pair)
    return [
        f"Rule {number}, {_described(part, rule)}: {_whom(part, rule, keys, found.get(number, []))}"
        for number, rule in enumerate(part.rules, 1)
    ]


def explain_decision(database: Tables, part: Part, row: int) -> list[str]:
    """What decided about the row: a person, the first rule that finds anybody, or the rows before it."""
    decided = [*_resolved(database, part, row)]
    if others := _sharing(database, part, row):
        named, shares = ("Row", "shares") if len(others) == 1 else ("Rows", "share")
        decided.append(
            f"{named} {listed(others)} of the file {shares} a key or the same {part.entity} with it. Such rows are "
            f"decided one after the other, by the same rules, against the {part.entity}s as earlier rows left them."
        )
    review = database.value(f"""
        SELECT string_agg(why, '; ') FROM reviews WHERE row_number = {row} AND entity = {literal(part.entity)}""")
    if review:
        return [*decided, f"Only a person can say who it is: it {review}."]
    decision = database.rows(f"SELECT decision, target FROM {part.table('decisions')} WHERE row_number = {row}")
    if decided or not decision:
        return decided
    ((kind, target),) = decision
    first = database.value(f"""
        SELECT min({rule_of("rank")}) FROM {part.table("pairs")} WHERE row_number = {row} AND differs <> 'another'""")
    if kind == "matched":
        return [f"Rule {first} is the first that finds anybody: it is {part.entity} {target}."]
    somebody = "somebody new" if part.entity == "contact" else "a new account"
    if first is not None:
        return [f"Rule {first} is the first that finds anybody, but nobody passes its narrowing: it is {somebody}."]
    return [f"No rule finds anybody that it could be: it is {somebody}."]


def _keys(database: Tables, part: Part, row: int) -> dict[str, str | None]:
    """Field → key of the row; none where the row is not of this part."""
    records = database.records(f"FROM {part.table('keys')} WHERE row_number = {row}")
    return {name: records[0][f"key_{name}"] for name in part.key_fields} if records else {}


def _label(part: Part, name: str) -> str:
    return part.headings.get(name, name)


def _looks(part: Part, name: str) -> Looks | None:
    if name == NAME and not part.sensitive.isdisjoint(NAME_PARTS):
        return None
    return part.looks.get(name, TOLD)


def _described(part: Part, rule: MatchRule) -> str:
    fields = listed([_label(part, name) for name in rule.fields[: len(rule.equal) or len(rule.of)]])
    compared = f"the same {fields}" if rule.equal else f"at least {rule.at_least or 1} of {fields}"
    narrowed = listed([_label(part, step.field) for step in rule.narrow])
    return f"{compared}, narrowed by {narrowed}" if rule.narrow else compared


def _whom(part: Part, rule: MatchRule, keys: dict[str, str | None], found: Sequence[dict[str, Any]]) -> str:
    """Whom a rule finds, or why it finds nobody, in words."""
    if not found:
        blank = [_label(part, name) for name in rule.equal if not keys.get(name)]
        if blank:
            return f"the row has no {listed(blank)}, so it finds nobody."
        if sum(bool(keys.get(name)) for name in rule.of) < (rule.at_least or 0):
            return "the row has too few of them, so it finds nobody."
        return f"no {part.entity} agrees."
    words = {
        "no": "finds {}",
        "review": "finds {}, whose key of an earlier rule differs, which a person must judge",
        "another": "leaves out {}, whose key of an earlier rule differs",
    }
    people = {differs: [_named(part, pair) for pair in found if pair["differs"] == differs] for differs in words}
    return "; ".join(words[differs].format(listed(named)) for differs, named in people.items() if named) + "."


def _named(part: Part, pair: dict[str, Any]) -> str:
    linked = "" if pair["candidate"] == pair["representative"] else f" (linked with {pair['representative']})"
    return f"{part.entity} {pair['candidate']}{linked}"


def _resolved(database: Tables, part: Part, row: int) -> Iterator[str]:
    """What a person decided about the row."""
    kept = "decided_in" in database.columns("resolutions")  # an earlier version kept no such column
    decided_in = "decided_in" if kept else "'a row of an earlier upload'"
    for choice, contact, other, own, before in database.rows(f"""
        SELECT choice, contact_id, other_row, own, {decided_in} FROM resolutions
        WHERE entity = {literal(part.entity)} AND row_number = {row}"""):
        where = "" if own else f" about {before}, which has the same keys, wherever this row would be in review"
        match choice:
            case "contact":
                yield f"A person decided{where}: it is contact {contact}."
            case "row":
                yield f"A person decided{where}: it is the same as row {other}."
            case "skip":
                yield f"A person decided{where}: it is skipped."
            case _:
                yield f"A person decided{where}: it is somebody new."


def _sharing(database: Tables, part: Part, row: int) -> list[int]:
    """The rows that share a whole key with the row, or a contact that both could be."""
    if not database.has("rows_in_turn") or not database.value(
        f"SELECT count(*) FROM rows_in_turn WHERE row_number = {row}"
    ):
        return []
    same = " OR ".join(
        f"({' AND '.join(f'other.{key_column(name)} = this.{key_column(name)}' for name in fields)})"
        for fields in whole_keys(part)
    )
    keys, pairs = part.table("keys"), part.table("pairs")
    reached = f"SELECT representative FROM {pairs} WHERE row_number = {row}"
    rows = database.rows(f"""
        SELECT DISTINCT other.row_number
        FROM (FROM {keys} SEMI JOIN rows_in_turn USING (row_number)) AS other
             JOIN (FROM {keys} WHERE row_number = {row}) AS this ON {same or "false"}
        WHERE other.row_number <> {row}
        UNION
        SELECT row_number FROM {pairs} SEMI JOIN rows_in_turn USING (row_number)
        WHERE representative IN ({reached}) AND row_number <> {row}
        ORDER BY 1""")
    return [number for (number,) in rows]
