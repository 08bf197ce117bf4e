"""The data of a home: the contact database with its ledger and history, staging folders, originals and copies."""

from contact_pipeline.contracts.ledger import LedgerLine
from contact_pipeline.store.staging import Staging
from contact_pipeline.store.store import Store
from contact_pipeline.store.upload import Upload

__all__ = ["LedgerLine", "Staging", "Store", "Upload"]
