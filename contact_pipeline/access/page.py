"""The page for the person: a single HTML file without scripts, readable on any screen and fit for printing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from contact_pipeline.access import drawn
from contact_pipeline.access.words import ACTIONS, OF_OTHERS, OUTCOMES, TABLES, WHOSE
from contact_pipeline.terms import CONSENT

_STYLE: Final = """
:root { color-scheme: light dark; --text: #1b1f24; --quiet: #57606a; --line: #d0d7de; --back: #ffffff;
  --panel: #f6f8fa; --accent: #0a4f9e; --warn: #7a4b00; --warn-back: #fff6e0; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --quiet: #a1abb6; --line: #3a424c; --back: #12161b;
  --panel: #1b2129; --accent: #8ebdff; --warn: #f2cc7a; --warn-back: #2e2512; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 1rem/1.55 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.35rem; margin: 2.5rem 0 .5rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.08rem; margin: 1.5rem 0 .4rem; overflow-wrap: anywhere; }
p { margin: .4rem 0 .8rem; max-width: 42rem; }
a { color: var(--accent); }
nav ul { padding-left: 1.2rem; margin: .3rem 0; }
.quiet { color: var(--quiet); }
.note { background: var(--warn-back); color: var(--warn); padding: .5rem .8rem; border-radius: .35rem;
  max-width: none; }
table { width: 100%; border-collapse: collapse; margin: .4rem 0 1rem; font-size: .95rem; }
caption { text-align: left; color: var(--quiet); padding: .2rem 0; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
thead th { background: var(--panel); font-weight: 600; }
tbody th { font-weight: 600; width: 28%; }
ul { margin: .3rem 0; padding-left: 1.1rem; }
li { overflow-wrap: anywhere; }
td ul { padding-left: 1rem; margin: 0; }
.row { border: 1px solid var(--line); border-radius: .4rem; padding: .3rem .9rem .6rem; margin: .8rem 0; }
.row h3 { margin-top: .5rem; }
@media (max-width: 40rem) {
  main { padding: 1rem .9rem 3rem; }
  h1 { font-size: 1.5rem; }
  thead { position: absolute; left: -999rem; }
  tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); }
  th, td { display: block; width: auto; border: 0; padding: .1rem 0; }
  tbody th { width: auto; }
  td[data-label]::before { content: attr(data-label); display: block; color: var(--quiet); font-size: .85rem; }
}
@media print {
  :root { color-scheme: light; --text: #000; --quiet: #333; --line: #999; --back: #fff; --panel: #fff; --accent: #000;
    --warn: #000; --warn-back: #fff; }
  main { max-width: none; padding: 0; } nav { display: none; } tr, .row { break-inside: avoid; }
  h2, h3 { break-after: avoid; } body { font-size: 10pt; } .note { border: 1px solid #999; }
}
"""


def page_of(document: Mapping[str, Any]) -> str:
    """The document of `collect` as an HTML page. Every value is escaped; misleading characters are made visible."""
    sections = [
        ("details", "Your details", _details(document)),
        ("contact", "Whether we may contact you", _consents(document)),
        ("belonging", "Groups, accounts and linked records", _belonging(document)),
        ("notes", "Notes about you", _notes(document)),
        ("history", "Every change", _history(document)),
        ("files", "Files and rows that mention you", _uploads(document)),
        ("decisions", "Decisions about you", _decisions(document)),
        ("corrections", "Corrections of your rows", _corrections(document)),
        ("places", "Where else your data stands", _places(document)),
        ("out", "What this page leaves out", _left_out(document)),
    ]
    links = "".join(f'<li><a href="#{name}">{title}</a></li>' for name, title, _ in sections)
    body = "".join(
        f'<section aria-labelledby="{name}"><h2 id="{name}">{title}</h2>{content}</section>'
        for name, title, content in sections
    )
    ids = ", ".join(map(str, document["contact_ids"]))
    numbers = "contact number" if len(document["contact_ids"]) == 1 else "contact numbers"
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="referrer" content="no-referrer">
<title>{drawn.text(document["title"])}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<header>
<h1>{drawn.text(document["title"])}</h1>
<p>This page shows everything that our contact database holds about you: what it says now, how it came to be, and the
files that it came from. You are {numbers} {ids} in it.</p>
<p class="quiet">Made on {drawn.moment(document["made_at"])}. All times are in UTC.</p>
<nav aria-label="Contents"><ul>{links}</ul></nav>
</header>
{body}
</main>
</body>
</html>
"""


def _details(document: Mapping[str, Any]) -> str:
    parts = []
    for contact in document["contacts"]:
        state = "" if contact["active"] else " It is not active: we keep it, and do not use it."
        if not contact["is_kept"]:
            state = " It is no longer kept. Only its history is."
        summary = (
            f"Record {contact['contact_id']}, in the address book {drawn.value(contact['address_book'] or '–')}.{state}"
        )
        names = [name for name in dict.fromkeys([*contact["current"], *contact["published"]]) if name != "notes"]
        differs = contact["current"] != contact["published"]
        headings = ("What", "Held now", "Visible to our other systems") if differs else ("What", "Held now")
        rows = [
            [drawn.label(name), *(drawn.value(contact[of].get(name)) for of in ("current", "published")[: 1 + differs])]
            for name in names
        ]
        parts.append(f"<h3>{summary}</h3>{drawn.table(headings, rows) or drawn.nothing('No value is held now.')}")
    return "".join(parts)


def _consents(document: Mapping[str, Any]) -> str:
    parts = []
    for contact in document["contacts"]:
        consent = contact["may_be_contacted"]
        says = (
            "says that you do <strong>not</strong> want to be contacted"
            if consent[CONSENT]
            else "says that you may be contacted"
            if consent[CONSENT] is False
            else "says nothing about whether you may be contacted"
        )
        by = consent["said_by"]
        origin = f" This was set {_origin(by)}." if by else ""
        parts.append(f"<p>Record {contact['contact_id']} {says}.{origin}</p>")
    return "".join(parts)


def _belonging(document: Mapping[str, Any]) -> str:
    parts = []
    for contact in document["contacts"]:
        accounts = [
            " ".join(
                filter(
                    None,
                    [
                        f"Account {drawn.value(each['account_number'])}",
                        each["account_type"] and f"of type {drawn.value(each['account_type'])}",
                        each["status"] and f"with status {drawn.value(each['status'])}",
                    ],
                )
            )
            for each in contact["accounts"]
        ]
        rows = [
            ["Groups", drawn.items(drawn.value(name) for name in contact["groups"])],
            ["Accounts", drawn.items(accounts)],
            ["Records linked as the same person", drawn.items(f"Record {each}" for each in contact["linked_contacts"])],
        ]
        parts.append(f"<h3>Record {contact['contact_id']}</h3>{drawn.table(('What', 'Held now'), rows)}")
    return "".join(parts)


def _notes(document: Mapping[str, Any]) -> str:
    rows = [
        [drawn.value(note["note"]), _origin(note) if note["at"] else "–"]
        for contact in document["contacts"]
        for note in contact["notes"]
    ]
    return drawn.table(("Note", "Added"), rows, lead=False) or drawn.nothing("There are no notes.")


def _history(document: Mapping[str, Any]) -> str:
    rows = [
        [
            drawn.moment(change["at"]),
            f"Record {change['contact_id']} {_happened(change)}"
            + (" (taken back since)" if change["undone"] else "")
            + (" by taking an upload back" if change["commit"] == "undo" else ""),
            drawn.items(_change(name, sides) for name, sides in change["fields"].items()),
            f"{drawn.value(change['file_name'] or '–')}"
            + (f", row {change['row_number']}" if change["row_number"] else "")
            + f"<br>by {drawn.value(change['by'] or '–')}",
        ]
        for contact in document["contacts"]
        for change in contact["changes"]
    ]
    return drawn.table(("When", "What happened", "Values", "File, and who"), rows, lead=False) or drawn.nothing(
        "Nothing changed."
    )


def _happened(change: Mapping[str, Any]) -> str:
    action = change["action"]
    return OF_OTHERS.get((change["target"], action)) or ACTIONS.get(action) or drawn.text(action)


def _change(name: str, sides: Sequence[Any]) -> str:
    before, after = sides
    label = f"<strong>{drawn.label(name)}</strong>"
    if before in (None, "", []):
        return f"{label}: {drawn.value(after)}"
    return f"{label}: {drawn.value(before)} → {drawn.value(after) if after not in (None, '', []) else 'nothing'}"


def _uploads(document: Mapping[str, Any]) -> str:
    parts = []
    for upload in document["uploads"]:
        by = f" by {drawn.value(upload['added_by'])}" if upload["added_by"] else ""
        parts.append(f"<h3>{drawn.value(upload['file_name'])}</h3>")
        parts.append(
            f"<p>Received on {drawn.moment(upload['added_at'])}{by}. Its state is {drawn.text(upload['state'])}. "
            f'<span class="quiet">Upload {drawn.text(upload["upload_id"])}.</span></p>'
        )
        if not upload["rows_are_kept"]:
            when = f" ({drawn.text(upload['rows_expired'])})" if upload["rows_expired"] else ""
            parts.append(drawn.nothing(f"Its rows are no longer kept{when}; the changes above say what came of them."))
        parts += [_row(row) for row in upload["rows"]]
        if upload["mentioned_elsewhere"]:
            values = drawn.items(drawn.value(each) for each in upload["mentioned_elsewhere"])
            parts.append(f"<p>These values of yours stand elsewhere in what was worked out from the file:</p>{values}")
    return "".join(parts) or drawn.nothing("No file mentions you.")


def _row(row: Mapping[str, Any]) -> str:
    became = f" {OUTCOMES.get(row['outcome'], '')}"
    cells = drawn.table(
        ("Column of the file", "In the file"), [[drawn.value(k), drawn.value(v)] for k, v in row["cells"].items()]
    )
    read = {name: value for name, value in row["read_as"].items() if value not in row["cells"].values()}
    as_read = drawn.table(
        ("What", "Read as"), [[drawn.label(name), drawn.value(value)] for name, value in read.items()]
    )
    further = drawn.table(
        ("Working table", "Value"),
        [[drawn.text(f"{each['table']}: {each['column']}"), drawn.value(each["value"])] for each in row["further"]],
    )
    others = row["other_contacts"]
    other = f"<p>It also concerns contact {', '.join(map(str, others))}.</p>" if others else ""
    withheld = (
        f'<p class="note">{len(row["withheld"])} cells are not shown, because they may be about somebody else. Their '
        f"columns: {', '.join(drawn.value(each) for each in row['withheld'])}.</p>"
        if row["withheld"]
        else ""
    )
    return (
        f'<div class="row"><h3>Row {row["row_number"]}</h3><p>{WHOSE[row["whose"]]}{became}</p>'
        f"{cells}{as_read}{further}{other}{withheld}</div>"
    )


def _decisions(document: Mapping[str, Any]) -> str:
    rows = [
        [
            drawn.moment(each["decided_at"]),
            f"Row {each['row_number']} of {drawn.value(each['file_name'] or each['upload_id'])} {_decided(each)}"
            + (" (withdrawn)" if each["withdrawn"] else ""),
            drawn.value(each["decided_by"]),
            drawn.items(f"{drawn.label(name)}: {drawn.value(key)}" for name, key in each["recognized_by"].items()),
        ]
        for each in document["decisions"]
    ]
    headings = ("When", "What was decided", "By", "Recognized by")
    return drawn.table(headings, rows, lead=False) or drawn.nothing("Nobody has decided anything about you.")


def _corrections(document: Mapping[str, Any]) -> str:
    rows = [
        [
            drawn.moment(each["corrected_at"]),
            f"{drawn.value(each['column'])} in row {each['row_number']} of {_file(each)}"
            + (" (taken back)" if each["withdrawn"] else ""),
            drawn.value(each["before"] or ""),
            drawn.value(each["after"] or ""),
            drawn.value(each["corrected_by"]),
        ]
        for each in document["corrections"]
    ]
    headings = ("When", "What was corrected", "Before", "After", "By")
    return drawn.table(headings, rows, lead=False) or drawn.nothing("Nobody has corrected anything in your rows.")


def _decided(decision: Mapping[str, Any]) -> str:
    match decision["choice"]:
        case "contact":
            return f"is contact {decision['contact_id']}"
        case "row":
            return f"is the same person as row {decision['other_row']}"
        case "new":
            return "is somebody new"
        case _:
            return "is not imported"


def _file(of: Mapping[str, Any]) -> str:
    return drawn.value(of["file_name"] or of["upload_id"])


def _places(document: Mapping[str, Any]) -> str:
    places = document["other_places"]
    kept = [*places["files"], *places["copies"], *places["left_by_erasing"]]
    parts = []
    if kept:
        parts.append(f"<p>These files hold values of yours:</p>{drawn.items(drawn.value(name) for name in kept)}")
    if places["previews"]:
        parts.append(
            f"<p>{places['previews']} previews and messages in the log of our imports hold values of yours.</p>"
        )
    rows = [
        [TABLES.get(each["table"], drawn.text(each["table"])), drawn.text(each["column"].replace("_", " ")),
         drawn.items(drawn.value(value) for value in each["values"])]
        for each in places["names"]
    ]  # fmt: skip
    parts.append(drawn.table(("Where", "In", "Value of yours"), rows))
    return "".join(parts) or drawn.nothing("Nowhere else.")


def _left_out(document: Mapping[str, Any]) -> str:
    others = "Where a record, a row or a file concerns somebody else too, this page gives the number of their contact."
    items = [f"The data of other people. {others}"]
    items += [
        f"Contact {', '.join(map(str, ids))} has the same {drawn.label(field).lower()} as you. "
        "We looked for no rows by it."
        for field, ids in document["shared_with"].items()
    ]
    items += [f"{drawn.value(name)} is damaged and could not be read." for name in document["not_searched"]]
    return drawn.items(items)


def _origin(source: Mapping[str, Any]) -> str:
    """The end of a sentence that says when a value was written, by which row and by whom."""
    row = f", row {source['row_number']}" if source.get("row_number") else ""
    file = f" by {drawn.value(source['file_name'])}{row}" if source.get("file_name") else ""
    who = f" ({drawn.value(source['by'])})" if source.get("by") else ""
    return f"on {drawn.moment(source['at'])}{file}{who}"
