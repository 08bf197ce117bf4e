"""The catalogue of the kept tables: those of the contact database, which a home has once.

A new home is made from it; the migrations of `store/schema.py` bring older homes up to it. When a person is erased,
their values in personal columns are emptied or replaced by stars.
"""

from __future__ import annotations

from typing import Final

from contact_pipeline.contracts.actors import IDENTITY
from contact_pipeline.contracts.ledger import COLUMNS
from contact_pipeline.contracts.tables import SQL_TYPE, Column, Table
from contact_pipeline.terms import ACCOUNT_FIELDS, CANONICAL, OUTCOMES

_TEXT: Final = "VARCHAR"
_ID: Final = "BIGINT"
_NUMBER: Final = "UINTEGER"
_WHEN: Final = "TIMESTAMP"
_FLAG: Final = "BOOLEAN"

_WRITTEN: Final = "apply, undo, redo, erase"
_FURTHER: Final = "of the fields that an upload brought since: rare canonical ones, and those of profiles"


def _required(name: str, sql_type: str, holds: str, *, personal: bool = False, default: str = "") -> Column:
    return Column(name, sql_type, holds, personal, required=True, default=default)


_BOOK: Final = _required("address_book", _TEXT, "the address book")
_GROUP: Final = _required("group_name", _TEXT, "the group", personal=True)
_CONTACT: Final = _required("contact_id", _ID, "the contact")
_LINKED_TO: Final = _required("linked_to", _ID, "the one that stands for this person")

# No constraints: applying may write the table anew, and DuckDB's CREATE TABLE AS would lose them.
_OF_TARGET: Final = (
    Column("address_book", _TEXT, "the address book that it belongs to"),
    Column("revision", "INTEGER", "counts its changes, so that a plan can tell that it was changed since"),
    Column("created_commit", _ID, "the effective commit that made it; null: none, others only refer to it"),
    Column("last_commit", _ID, "the newest commit that wrote it"),
    Column("last_upload_id", _TEXT, "the upload of its newest effective change"),
)
_OF_CHANGE: Final = (
    _required("upload_id", _TEXT, "the upload that made it, or `erasure-` and the commit"),
    _required("commit_number", _ID, "the commit that it is part of"),
    Column("row_number", _NUMBER, "the row that asked for it; null: none did"),
    _required("action", _TEXT, "create, update, reactivate, deactivate, remove or erase"),
)
_REVISION: Final = _required("base_revision", "INTEGER", "the revision that it changed")

_FIELDS: Final = {name: field for name, field in CANONICAL.items() if not field.rare}
_CONTACT_FIELDS: Final = tuple(
    Column(name, SQL_TYPE[field.kind], field.form, personal=True) for name, field in _FIELDS.items()
)
# The values that accounts are compared and grouped by belong to no person; the name can quote one.
_ACCOUNT_FIELDS: Final = tuple(
    Column(name, SQL_TYPE[kind], "", personal=name == "account_name") for name, kind in ACCOUNT_FIELDS.items()
)


_COUNTS: Final[dict[str, str]] = {
    "processed": "rows that are not blank",
    **dict.fromkeys(OUTCOMES, "rows with that outcome"),
    "deactivated": "contacts that it deactivates",
}


_COUNTED_SINCE: Final = Column(
    "left_out", "INTEGER", "rows with that outcome, at that moment", required=True, default="0",
    since="news counts rows that are left out",
)  # fmt: skip

_OF_FEED: Final = "news of feeds"


def _sides(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """The columns of a field before and after a change; both are null where the change leaves it alone."""
    return tuple(
        Column(f"{side}_{column.name}", column.type, "", column.personal)
        for column in columns
        for side in ("before", "after")
    )


KEPT: Final[tuple[Table, ...]] = (
    Table("uploads", "every call on an upload", "an upload: the ledger", COLUMNS, key=("upload_id",),
          read_by="uploads, show and all that needs an upload"),
    Table("commits", f"{_WRITTEN}; activating, groups", "a commit: one transaction that changed the contacts",
          (_required("commit_number", _ID, "counts the commits"),
           _required("committed_at", _WHEN, "when, in UTC; never before the commit before it"),
           _required("upload_id", _TEXT, "the upload, or `erasure-` and the commit"),
           _required("action", _TEXT, "apply, undo, redo or erase"),
           _BOOK,
           Column("changeset_sha256", _TEXT, "hash of the changeset that was applied"),
           Column("actor", _TEXT, "login of who did it"),
           Column("undone_by", _ID, "of an apply: the commit that took it out of effect; null: it is effective"),
           Column("actor_as", _TEXT, f"of the actor, {IDENTITY}", since="how actors are known")),
          key=("commit_number",), read_by="matching, history, undo, redo, verify"),
    Table("contacts", _WRITTEN, "a contact as it is now",
          (Column("contact_id", _ID, "the contact"), Column("active", _FLAG, "whether it is active"), *_OF_TARGET,
           *_CONTACT_FIELDS),
          f"one {_FURTHER}", key=("contact_id",), read_by="matching, contacts list and show"),
    Table("contact_changes", _WRITTEN, "a change to one contact",
          (*_OF_CHANGE, _REVISION, _CONTACT, Column("before_active", _FLAG, "whether it was active"),
           Column("after_active", _FLAG, "and was then"), *_sides(_CONTACT_FIELDS)),
          f"`before_<field>` and `after_<field>` {_FURTHER}", key=("commit_number", "contact_id"),
          read_by="undo, redo, history, published contacts, erase, verify"),
    Table("accounts", _WRITTEN, "an account as it is now",
          (Column("account_id", _ID, "the account"), *_OF_TARGET, *_ACCOUNT_FIELDS), key=("account_id",),
          read_by="matching, accounts list and show"),
    Table("account_changes", _WRITTEN, "a change to one account",
          (*_OF_CHANGE, _REVISION, _required("account_id", _ID, "the account"), *_sides(_ACCOUNT_FIELDS)),
          key=("commit_number", "account_id"), read_by="undo, redo, verify"),
    Table("groups", _WRITTEN, "a group of an address book",
          (_BOOK, _GROUP, _required("created_at", _WHEN, "when it was made"),
           _required("upload_id", _TEXT, "the upload that made it")),
          key=("address_book", "group_name"), read_by="groups list, planning into a group"),
    Table("memberships", _WRITTEN, "a contact in a group", (_BOOK, _GROUP, _CONTACT),
          key=("address_book", "group_name", "contact_id"), read_by="matching, contacts and groups list"),
    Table("membership_changes", _WRITTEN, "a contact that joined or left a group", (*_OF_CHANGE, _GROUP, _CONTACT),
          key=("commit_number", "group_name", "contact_id"), read_by="undo, redo, history, verify"),
    Table("links", _WRITTEN, "two contacts that are the same person", (_CONTACT, _LINKED_TO),
          key=("contact_id", "linked_to"), read_by="matching, contacts list, erase"),
    Table("link_changes", _WRITTEN, "two contacts that were linked, or are no more",
          (*_OF_CHANGE, _CONTACT, _LINKED_TO), key=("commit_number", "contact_id", "linked_to"),
          read_by="undo, redo, history, verify"),
    Table("published_contacts", "the migrations; anew for each new field", "a contact without what is held",
          (Column("contact_id", _ID, "the contact"),
           *(column for column in _OF_TARGET if column.name in {"address_book", "revision", "last_upload_id"}),
           Column("active", _FLAG, "whether it is active"), *_CONTACT_FIELDS),
          f"one {_FURTHER}", "view", ("contact_id",), "contacts list --published, other programs"),
    Table("published_memberships", "the migrations", "a contact in a group, without what is held",
          (_BOOK, _GROUP, _CONTACT), "", "view", ("address_book", "group_name", "contact_id"),
          "contacts list --published, other programs"),
    Table("published_links", "the migrations", "two contacts that are the same person, without what is held",
          (_CONTACT, _LINKED_TO), "", "view", ("contact_id", "linked_to"),
          "contacts list --published, other programs"),
    Table("decisions", "resolve, apply, erase", "what a person decided about a row in review",
          (_required("upload_id", _TEXT, "the upload"),
           _required("row_number", _NUMBER, "its row"),
           _required("entity", _TEXT, "contact or account"),
           _BOOK,
           _required("keys", _TEXT, "the row's keys, by which later rows are recognized", personal=True),
           _required("choice", _TEXT, "contact, new, row or skip"),
           Column("contact_id", _ID, "the contact that the row is"),
           Column("other_row", _NUMBER, "the row of the file that it is the same as"),
           _required("decided_by", _TEXT, "login of who decided"),
           _required("decided_at", _WHEN, "when, in UTC"),
           _required("withdrawn", _FLAG, "whether it was taken back", default="false"),
           _required("applied", _FLAG, "whether it was applied after the rest of its upload", default="false"),
           Column("decided_as", _TEXT, f"of who decided, {IDENTITY}", since="how deciders are known")),
          key=(), read_by="matching, decisions"),
    Table("corrections", "correct, leave-out, erase",
          "a cell that was corrected, or a row or a column that was left out of the plan",
          (_required("upload_id", _TEXT, "the upload"),
           _required("number", _NUMBER, "counts the calls that corrected the upload; one call can correct many cells"),
           _required("kind", _TEXT, "cell, row or column"),
           Column("row_number", _NUMBER, "the row; null: a column is left out"),
           Column("column", _TEXT, "the raw column; null: a row is left out", personal=True),
           Column("field", _TEXT, "the field that it fills"),
           Column("before", _TEXT, "the text of the cell before; null: it was blank", personal=True),
           Column("after", _TEXT, "the text that is read in its place; null: none", personal=True),
           _required("corrected_by", _TEXT, "login of who corrected it"),
           _required("corrected_at", _WHEN, "when, in UTC"),
           _required("withdrawn", _FLAG, "whether it was taken back", default="false"),
           Column("corrected_as", _TEXT, f"of who corrected it, {IDENTITY}", since="how correctors are known")),
          key=(), read_by="normalizing, show"),
    Table("value_mappings", "correct --remember, value-mappings forget, erase",
          "a value that means another one in later files of a profile",
          (_required("number", _NUMBER, "counts them"),
           _required("profile", _TEXT, "the profile"),
           _required("field", _TEXT, "the field"),
           _required("before", _TEXT, "the text in files, compared without case and spaces", personal=True),
           Column("after", _TEXT, "the text that is read in its place; null: none", personal=True),
           _required("upload_id", _TEXT, "the upload in which it was corrected"),
           _required("made_by", _TEXT, "login of who said so"),
           _required("made_at", _WHEN, "when, in UTC; it holds for uploads that are received later"),
           Column("forgotten_by", _TEXT, "login of who withdrew it"),
           Column("forgotten_at", _WHEN, "when, in UTC; it holds for uploads that were received before"),
           Column("made_as", _TEXT, f"of who said so, {IDENTITY}", since="how makers of value mappings are known"),
           Column("forgotten_as", _TEXT, f"of who withdrew it, {IDENTITY}",
                  since="how those are known who forget value mappings")),
          key=("number",), read_by="normalizing, value-mappings list"),
    Table("fields", "apply", "a field that the contacts have columns for",
          (_required("name", _TEXT, "the field"), _required("kind", _TEXT, "text, list or boolean"),
           _required("sensitive", _FLAG, "whether its values are masked")),
          key=("name",), read_by="matching, all that shows contacts, erase"),
    Table("users", "users load", "somebody who imports, approves or owns a portfolio",
          (_required("login", _TEXT, "the name by which they are known here"),
           _required("name", _TEXT, "their name, for people"),
           _required("roles", f"{_TEXT}[]", "roles that profiles ask for"),
           _required("can_import", _FLAG, "whether they may import")),
          key=("login",), read_by="planning, applying, normalizing owners"),
    Table("vocabularies", "vocabularies load", "a word of a vocabulary",
          (_required("name", _TEXT, "the vocabulary"), _required("position", "INTEGER", "its place, from 0"),
           _required("value", _TEXT, "the word")),
          key=("name", "position"), read_by="normalizing choices"),
    Table("mappings", "plan --save-mapping", "a mapping for files that have the same headings",
          (_required("profile", _TEXT, "the profile"),
           _required("headings", _TEXT, "JSON of the sorted headings; a heading can be data", personal=True),
           _required("mapping", "JSON", "heading → field", personal=True)),
          key=("profile", "headings"), read_by="plan"),
    Table("erasures", "erase, restore", "an erased contact",
          (_CONTACT, _required("started_at", _WHEN, "when it began, in UTC"),
           _required("actor", _TEXT, "login of who did it"), Column("commit_number", _ID, "the commit that emptied it"),
           Column("finished_at", _WHEN, "when it was whole; null: it was cut off, or is under way")),
          key=("contact_id",), read_by="all that shows or matches contacts"),
    Table("fingerprints", "erase, restore", "by what an erased contact is recognized",
          (_CONTACT, _required("state", _ID, "the commit after which the contact had the value"),
           _required("field", _TEXT, "the field"),
           _required("fingerprint", _TEXT, "HMAC of the value in the form in which it is compared")),
          key=("contact_id", "state", "field"), read_by="matching"),
    Table("erased_rows", "erase", "a row of the person who is being erased; none are left once that is whole",
          (_required("upload_id", _TEXT, "the upload"), _required("row_number", _NUMBER, "the row")),
          key=("upload_id", "row_number"), read_by="erase, where it was cut off"),
    Table("expiries", "expire", "something of an upload that was deleted by age",
          (_required("upload_id", _TEXT, "the upload"),
           _required("kind", _TEXT, "staged_data, originals, reports or runs"),
           _required("files", "INTEGER", "how many files; of Dagster, runs"),
           Column("rows", "INTEGER", "rows of the file that they held; of Dagster, events"),
           Column("size", _ID, "bytes; null: of Dagster, nobody knows"),
           _required("ended_at", _WHEN, "when the life of the upload ended, in UTC"),
           _required("rule", _TEXT, "the rule by which it went, in words"),
           _required("begun_at", _WHEN, "when this line was written, before anything was deleted, in UTC"),
           Column("finished_at", _WHEN, "when all was deleted; null: it was cut off, or is under way"),
           _required("actor", _TEXT, "login of who did it"),
           _required("actor_as", _TEXT, f"of the actor, {IDENTITY}")),
          key=("upload_id", "kind", "begun_at"), read_by="show, expire, verify"),
    Table("feeds", "feeds run", "a feed as it stood when it ran last",
          (_required("name", _TEXT, "the feed"), _required("since", _WHEN, "when the home came to know it, in UTC"),
           Column("ran_at", _WHEN, "when it ran last, in UTC"),
           Column("ended", _TEXT, "how: fetched, nothing or broken"),
           Column("problem", "JSON", "why it is broken: code, message and fix, masked", personal=True),
           Column("file_at", _WHEN, "when its newest file was received, refused or not, in UTC"),
           Column("missed_at", _WHEN, "the newest time at which a file was due and had not come, in UTC")),
          key=("name",), read_by="feeds"),
    Table("fetched_files", "feeds run", "a file of a feed, as it was received last",
          (_required("feed", _TEXT, "the feed"),
           _required("name_sha256", _TEXT, "SHA-256 of its name at the source"),
           _required("look", _TEXT, "how it looked there: its ETag, or size and time"),
           _required("sha256", _TEXT, "SHA-256 of the file"), _required("upload_id", _TEXT, "its upload"),
           _required("fetched_at", _WHEN, "when, in UTC")),
          key=("feed", "name_sha256"), read_by="feeds run"),
    Table("news",
          "every change of an upload's state, and what befalls a feed or the home, where it has a notices.yaml",
          "a change that people are told of",
          (_required("number", _ID, "counts them"),
           _required("upload_id", _TEXT, "the upload; of a feed or the home, empty"),
           _required("event", _TEXT,
                     "staged, blocked, stale, applied, held, finalized, undone, refused, failed or stopped; missed or "
                     "broken; disk_low"),
           _required("happened_at", _WHEN, "when, in UTC"),
           Column("reason_code", _TEXT, "the code of why the upload is so; null: there is none"),
           *(_required(name, "INTEGER", f"{holds}, at that moment") for name, holds in _COUNTS.items()
             if name != _COUNTED_SINCE.name),
           _required("taken", _FLAG, "whether notices.yaml was asked who is told", default="false"), _COUNTED_SINCE,
           Column("feed", _TEXT, "the feed; null: of an upload or the home", since=_OF_FEED),
           Column("feed_profile", _TEXT, "the profile of the feed", since=_OF_FEED + ": profile"),
           Column("feed_owner", _TEXT, "login of who answers for the feed", since=_OF_FEED + ": owner"),
           Column("targets", f"{_TEXT}[]", "targets that the feed names; null: by the rules",
                  since=_OF_FEED + ": targets")),
          key=("number",), read_by="notices"),
    Table("notices", "notices; whatever changes an upload's state, after it", "a notice: news for one target",
          (_required("number", _ID, "the news"), _required("target", _TEXT, "the name of the target"),
           _required("state", _TEXT, "waiting, sending, sent, failed, unsure or dropped"),
           _required("tries", "INTEGER", "how often it was tried", default="0"),
           _required("due_at", _WHEN, "when it is tried next, in UTC"),
           _required("changed_at", _WHEN, "when it came to its state, in UTC"),
           Column("problem", _TEXT, "why it was not sent at the last try")),
          key=("number", "target"), read_by="notices"),
    Table("counters", "plan, restore", "the number that comes next",
          (_required("name", _TEXT, "upload, contact or account"), _required("next", _ID, "the number")),
          key=("name",), read_by="plan"),
    Table("migrations", "the first call of a new version; apply, for each new field", "a migration that was done",
          (_required("number", "INTEGER", "counts them"), _required("name", _TEXT, "its name"),
           Column("applied_at", _WHEN, "when, in UTC; the first tells the home from all others")),
          key=("number",), read_by="every call, to see whether one is missing"),
)  # fmt: skip

# The tables that grow with the contacts. The others are small, and stay in the home wherever these lie.
GROWING: Final = (
    "commits",
    "groups",
    "contacts",
    "accounts",
    "memberships",
    "links",
    "contact_changes",
    "account_changes",
    "membership_changes",
    "link_changes",
)
