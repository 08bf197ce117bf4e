"""The tables: uploads (ledger), contacts, accounts, changesets, groups, links, users, vocabularies; and staging."""

from contact_pipeline.contracts.ledger import LedgerLine
from contact_pipeline.store.staging import Staging
from contact_pipeline.store.store import Store
from contact_pipeline.store.upload import Upload

__all__ = ["LedgerLine", "Staging", "Store", "Upload"]
