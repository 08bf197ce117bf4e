"""Composes the five stages. `Pipeline` is the front: it hands each call to the module here that does it.

From the top down; a module may use those below it:

- by_hand: a contact is typed in, activated or deactivated; contacts join or leave a group.
- reviewing: rows in review are decided, one by one or by a file (deciding).
- applying: apply, undo and redo, once they are allowed and approved.
- receiving: a file comes in and gets its ledger line; a repeated one is found (repeats).
- planning: an upload goes through the stages, and the ledger keeps how far it has come.
- stages: the work of stages 1 to 4 (doubts, frames). committing: that of stage 5, each commit one transaction.
- interruptions: Ctrl-C and faults of the machine say where the upload stands.
- uploads: looks an upload up, and is the only one beside committing that changes a ledger line.
- states: what a ledger line says, and the refusals that follow from it.
"""

from contact_pipeline.contracts.states import APPLIED
from contact_pipeline.pipeline.pipeline import Pipeline
from contact_pipeline.pipeline.states import STAGES

__all__ = ["APPLIED", "STAGES", "Pipeline"]
