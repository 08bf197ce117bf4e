"""The words of the page for the person: labels of fields, and what codes mean."""

from __future__ import annotations

from typing import Final

LABELS: Final = {
    "ssn": "Social security number",
    "zip_code": "Postal code",
    "email": "E-mail address",
    "phone": "Phone number",
    "do_not_contact": "Wish not to be contacted",
    "active": "Active",
    "membership": "Group",
    "link": "Linked contact",
}
WHOSE: Final = {
    "theirs": "This row is about you.",
    "shared": "This row is about you and somebody else.",
    "may be theirs": "This row may be about you. Nobody has decided that it is.",
    "somebody else's": "This row is about somebody else, and holds something of yours.",
}
ACTIONS: Final = {
    "create": "created",
    "update": "changed",
    "link": "linked",
    "deactivate": "deactivated",
    "reactivate": "made active again",
    "remove": "removed",
    "erase": "erased",
}
OF_OTHERS: Final = {
    ("membership", "create"): "joined a group",
    ("membership", "remove"): "left a group",
    ("link", "create"): "linked with another",
    ("link", "remove"): "no longer linked with another",
}
OUTCOMES: Final = {
    "created": "A new record was made from it.",
    "updated": "It changed your record.",
    "unchanged": "It changed nothing.",
    "linked": "It was linked with your record.",
    "duplicate": "It repeats what was there, and was not imported.",
    "rejected": "It was rejected, and not imported.",
    "review": "It waits for somebody to decide whom it is about.",
    "left_out": "Somebody left it out, and it was not imported.",
}
TABLES: Final = {
    "uploads": "The list of received files",
    "accounts": "Accounts",
    "account_changes": "The history of accounts",
    "groups": "Groups",
    "memberships": "Who is in which group",
    "membership_changes": "The history of groups",
    "decisions": "Decisions about rows",
    "corrections": "Corrections of rows",
    "value_mappings": "Values that mean another one",
    "mappings": "Saved mappings of columns",
}
