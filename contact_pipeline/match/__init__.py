"""Stage 4: valid rows and contacts → changeset."""

from contact_pipeline.match.defects import FOUND_BY_MATCHING
from contact_pipeline.match.explain import explain_decision, explain_keys, explain_rules
from contact_pipeline.match.freeze import hash_changeset
from contact_pipeline.match.guards import Guarded, blocked_because, merges_too_many, to_confirm
from contact_pipeline.match.keys import key as key_of
from contact_pipeline.match.match import Changeset, match
from contact_pipeline.match.part import Part, parts_of
from contact_pipeline.match.resolutions import keys_of_rows

__all__ = [
    "FOUND_BY_MATCHING",
    "Changeset",
    "Guarded",
    "Part",
    "blocked_because",
    "explain_decision",
    "explain_keys",
    "explain_rules",
    "hash_changeset",
    "key_of",
    "keys_of_rows",
    "match",
    "merges_too_many",
    "parts_of",
    "to_confirm",
]
