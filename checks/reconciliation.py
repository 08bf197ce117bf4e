"""Whether every row of the file ended in exactly one outcome, counted from the stored rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contact_pipeline.orchestration.checking import Verdict, upload_check

if TYPE_CHECKING:
    from contact_pipeline.store import Upload

_COUNTS = """
    WITH of_file AS (
        SELECT row_number FROM raw_rows
        UNION
        SELECT row_number FROM unreadable_rows -- records that do not split into the heading's columns
    ),
    of_outcomes AS (SELECT row_number, count(*) AS times FROM outcome_rows GROUP BY row_number)
    SELECT count(of_file.row_number) AS in_file,
           coalesce(sum(times), 0) AS outcomes,
           count(*) FILTER (of_outcomes.row_number IS NULL) AS without_outcome,
           count(*) FILTER (of_file.row_number IS NULL) AS not_in_file,
           count(*) FILTER (times > 1) AS with_several
    FROM of_file FULL JOIN of_outcomes USING (row_number)"""

_BY_OUTCOME = "SELECT outcome, count(*) FROM outcome_rows GROUP BY outcome"


@upload_check("matched_changeset")
def reconciliation(upload: Upload) -> Verdict:
    """Rows in the file = created + updated + unchanged + linked + duplicate + rejected + review + left_out + blank."""
    if not upload.staging.exists():
        return Verdict(True, "No rows are staged: there is nothing to reconcile.")
    with upload.staging.open(read_only=True) as database:
        if not database.has("outcome_rows"):
            return Verdict(True, "The rows were not matched: there is nothing to reconcile.")
        numbers: dict[str, int] = {name: int(value) for name, value in database.records(_COUNTS)[0].items()}
        stored: dict[str, int] = dict(database.rows(_BY_OUTCOME))
    ledger = {outcome: count for outcome, count in upload.outcomes.items() if count}
    wrong = [name for name in ("without_outcome", "not_in_file", "with_several") if numbers[name]]
    if wrong:
        description = f"There are rows {' and rows '.join(name.replace('_', ' ') for name in wrong)}."
    elif numbers["in_file"] != upload.line.data_rows:
        description = f"The file was read as {upload.line.data_rows} rows, but {numbers['in_file']} are stored."
    elif stored != ledger:
        description = f"The ledger says {ledger}, the rows say {stored}."
    else:
        description = f"{numbers['in_file']} rows, each with one outcome."
        return Verdict(True, description, numbers={"rows": numbers["in_file"]}, details=stored)
    return Verdict(False, description, is_grave=True, numbers={"rows": numbers["in_file"]}, details=numbers | stored)
