"""The first four stages of one upload: each reads what the one before staged, and returns what it found."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Final

import polars as pl

from contact_pipeline.contracts.frames import BLANK_ROWS, REJECTIONS, REPAIRS, empty
from contact_pipeline.engines import Database
from contact_pipeline.errors import listed
from contact_pipeline.headings.mapping import map_headings
from contact_pipeline.headings.naming import has_reasons, labels, meant_by
from contact_pipeline.headings.synonyms import expected_headings
from contact_pipeline.headings.witness import what_columns_hold
from contact_pipeline.masking import TOLD, mask_column, mask_heading
from contact_pipeline.match import Changeset, blocked_because
from contact_pipeline.match import match as match_rows
from contact_pipeline.normalize import fitting_formats, repairs_of, with_formats
from contact_pipeline.normalize import normalize as normalize_rows
from contact_pipeline.pipeline.continuing import find_continued
from contact_pipeline.pipeline.doubts import describe_doubt
from contact_pipeline.pipeline.found import Matched, Normalized, Read, Validated
from contact_pipeline.pipeline.states import resolved
from contact_pipeline.profiles import Profile
from contact_pipeline.profiles.options import UploadOptions
from contact_pipeline.store import LedgerLine, Staging, Store
from contact_pipeline.store.corrected import corrected, without_corrected
from contact_pipeline.store.engine import staged_tables
from contact_pipeline.store.expiries import not_kept
from contact_pipeline.store.facts import FileFacts, NormalizedFacts
from contact_pipeline.store.originals import Originals
from contact_pipeline.store.staging import count_defects, keep_facts
from contact_pipeline.terms import JOINED
from contact_pipeline.upload import RawUpload, ReadOptions, first_rows, read_upload
from contact_pipeline.validate import blocked_by_dates, find_doubtful, noted_cells, reject, reject_repeats
from contact_pipeline.watched import tell

_ALL_ARE_TAKEN: Final = "`--group-members all` takes them in."


def read(store: Store, line: LedgerLine) -> Read:
    """Stage 1: the file's rows as text, and its headings mapped to fields."""
    profile, options = resolved(line)
    settings, staging = store.settings, store.staging(line.upload_id)
    staging.remove()  # data of a reading that was cut off, or that is damaged
    staging.make()
    with Originals(settings).verified(line) as original:
        raw = read_upload(
            original,
            line.file_name,
            profile.file,
            ReadOptions(delimiter=options.delimiter, encoding=options.encoding, sheet=options.sheet),
            staging.folder,
            settings,
            mask=bool(profile.sensitive_fields),
            known=expected_headings(profile),
        )
    chosen = options.map or store.saved_mapping(profile.name, raw.headings)
    sent = _without_reasons(raw, profile, chosen)
    if sent is not raw:
        chosen = chosen or store.saved_mapping(profile.name, sent.headings)
    mapped = profile.headings == "mapped"
    holds = what_columns_hold(first_rows(staging.folder).select(sent.columns)) if mapped else {}
    mapping = map_headings(sent.headings, sent.columns, profile, chosen, file=line.file_name, holds=holds)
    if options.save_mapping and not _not_kept(options, sent.headings):
        store.save_mapping(profile.name, sent.headings, mapping.fields, sent.columns)
    facts = FileFacts(
        headings=tuple(raw.headings),
        columns=tuple(raw.columns),
        mapped=mapping.fields,
        places=mapping.places,
        joined=raw.joined,
    )
    slices = partial(staging.slices, "raw", settings.slice_rows)
    continues, several = _continued(store, line, raw, sent, slices)
    if raw.doubt:
        doubt = describe_doubt(raw.doubt, slices, facts.fields, facts.heading_of, profile.sensitive_fields)
        facts = replace(facts, doubt=doubt)
    with staging.open() as database:
        database.see_files("raw_rows", "raw")
        database.store("unreadable_rows", raw.rejections.with_columns(mask_column(pl.col("value"), TOLD)))
        database.store("cell_errors", _with_fields(raw.cell_errors, mapping.fields))
        keep_facts(database, facts)
    return Read(
        file_type=raw.file_type,
        encoding=raw.encoding,
        delimiter=raw.delimiter,
        sheet=raw.sheet,
        data_rows=raw.data_rows,
        continues=continues,
        mapping=_mapping(facts),
        ignored=[mask_heading(heading) for heading in (*mapping.ignored, *raw.headings[len(sent.headings) :])],
        warnings=[
            *raw.warnings,
            *map(mask_heading, mapping.warnings),
            *several,
            *_not_kept(options, sent.headings),
        ],
    )


def _continued(
    store: Store, line: LedgerLine, raw: RawUpload, sent: RawUpload, slices: Callable[[], Iterator[pl.DataFrame]]
) -> tuple[str | None, list[str]]:
    """The upload whose rejected rows the file brings, as named by somebody or found by reasons; and a warning."""
    if sent is raw or line.continues is not None:
        return line.continues, []
    label_of = dict(zip(sent.columns, labels(sent.headings), strict=True))
    return find_continued(store, line, slices(), label_of, raw.columns[-1])


def _mapping(facts: FileFacts) -> dict[str, str]:
    """Heading → field, as the ledger has it."""
    label_of = facts.label_of
    return {mask_heading(label_of[column]): field for column, field in facts.fields.items()}


def _without_reasons(raw: RawUpload, profile: Profile, mapped: Iterable[str]) -> RawUpload:
    """The file without its column of reasons, if it brings rejected rows that were given back."""
    return raw.without_columns({raw.columns[-1]}) if has_reasons(raw.headings, meant_by(profile, mapped)) else raw


def _not_kept(options: UploadOptions, headings: Iterable[str]) -> list[str]:
    """A warning if a mapping is not saved because a heading looks like somebody's number or day of birth."""
    doubtful = [heading for heading in map(mask_heading, headings) if "*" in heading]
    if not options.save_mapping or not doubtful:
        return []
    return [f"The mapping is not kept: {listed(doubtful)} looks like a row of data, not like a heading."]


def _with_fields(cell_errors: pl.DataFrame, fields: dict[str, str]) -> pl.DataFrame:
    """The errors with the field that each cell fills."""
    return cell_errors.with_columns(field=pl.col("column").replace_strict(fields, default=None, return_dtype=pl.String))


def normalize(store: Store, line: LedgerLine) -> Normalized:
    """Stage 2: normalized rows, slice by slice, from the raw rows with their corrections."""
    profile, _ = resolved(line)
    staging, slice_rows = store.staging(line.upload_id), store.settings.slice_rows
    staging.clear("normalized")
    reference, corrections = store.known_for(line)
    cells = corrections.cells
    with staging.open(read_only=True):
        facts, errors = staging.facts(), without_corrected(staging.table("cell_errors"), cells)
    joined = facts.joined or bool(cells["text"].str.contains(JOINED, literal=True).any())
    facts = replace(facts, left_out=corrections.columns, joined=joined)
    headings = facts.heading_of
    slices = partial(_corrected_slices, staging, slice_rows, cells)
    formats = fitting_formats(slices, facts.fields, profile)
    profile = with_formats(profile, formats)
    blank_slices, repairs, done = [empty(BLANK_ROWS)], 0, 0
    tell("normalizing", done, line.data_rows)
    for number, raw in enumerate(slices()):
        normalized, blank = normalize_rows(
            raw,
            facts.fields,
            profile,
            reference,
            headings,
            errors,
            facts.places,
            joined=facts.joined,
        )
        staging.write("normalized", number, normalized)
        blank_slices.append(blank)
        done += raw.height
        tell("normalizing", done, line.data_rows)
        repairs += int(normalized["repaired"].bitwise_count_ones().sum() or 0)
    blank_rows = pl.concat(blank_slices)
    left_out = pl.DataFrame({"row_number": corrections.rows}, schema={"row_number": pl.UInt32})
    with staging.open() as database:
        database.see_files("normalized_rows", "normalized")
        database.store("blank_rows", blank_rows)
        database.store("corrected_cells", cells)
        database.store("left_out_rows", left_out.join(blank_rows, on="row_number", how="anti"))
        columns = [name for name in database.columns("normalized_rows") if name not in {"row_number", "repaired"}]
        keep_facts(database, facts.normalized(tuple(columns), formats, reference))
    return Normalized(
        mapping=_mapping(facts) if line.corrections or corrections.count else line.mapping,
        processed=line.data_rows - blank_rows.height,
        repairs=repairs,
        corrections=corrections.count,
    )


def _corrected_slices(
    staging: Staging, rows: int, cells: pl.DataFrame, columns: list[str] | None = None
) -> Iterator[pl.DataFrame]:
    """The raw rows, or some of their columns, in slices, with their corrections."""
    if columns is not None and not cells.is_empty():
        columns = ["row_number", *columns]
    return (corrected(raw, cells) for raw in staging.slices("raw", rows, columns))


def validate(store: Store, line: LedgerLine) -> Validated:
    """Stage 3: every defect of every row."""
    profile, _ = resolved(line)
    staging = store.staging(line.upload_id)
    with staging.open(read_only=True):
        facts, cells = staging.normalized_facts(), staging.table("corrected_cells")
        errors, left_out = without_corrected(staging.table("cell_errors"), cells), staging.table("left_out_rows")
    if facts.left_out:
        errors = errors.filter(~pl.col("column").is_in(facts.left_out))
    reference, headings = facts.reference, facts.headings_by_field(profile)
    profile = with_formats(profile, facts.formats)
    slice_rows = store.settings.slice_rows
    slices = staging.slices("normalized", slice_rows)
    if left_out.height:
        slices = (rows.join(left_out, on="row_number", how="anti", maintain_order="left") for rows in slices)
    doubtful = (find_doubtful(rows, profile, reference, errors) for rows in _with_progress(slices, line.processed))
    some = max(slice_rows // 4, 1)  # a rejection takes more memory than a row
    found = (reject(rows, profile, reference, headings, errors) for rows in _gathered(doubtful, some))
    last, first = next(found, empty(REJECTIONS)), True
    for more in found:
        with staging.open() as database:
            _stage_rejections(database, last, first=first)
        last, first = more, False
    with staging.open() as database:
        _stage_rejections(database, last, first=first)
        if not database.has("left_out_rows"):  # normalized by an older version
            database.store("left_out_rows", left_out)
        tell("validating", step="looking for rows that repeat others")
        database.append("rejections", "FROM unreadable_rows ANTI JOIN left_out_rows USING (row_number)")
        reject_repeats(database, profile, headings)
        error_count, row_warnings = count_defects(database)
    return Validated(error_count=error_count, row_warning_count=row_warnings)


def _with_progress(slices: Iterable[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
    """The slices as they are; reports how many of the rows are validated."""
    done = 0
    tell("validating", done, rows)
    for each in slices:
        yield each
        done += each.height
        tell("validating", done, rows)


def _stage_rejections(database: Database, rejections: pl.DataFrame, *, first: bool) -> None:
    """Stages rejections, and the cells that go into notes, behind the earlier ones."""
    keep = database.store if first else database.add
    keep("rejections", rejections)
    keep("noted_cells", noted_cells(rejections))


def _gathered(frames: Iterable[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
    """The same rows in fewer frames, each but the last with at least so many rows."""
    gathered: list[pl.DataFrame] = []
    for frame in frames:
        gathered.append(frame)
        if sum(each.height for each in gathered) >= rows:
            yield pl.concat(gathered)
            gathered = []
    if gathered:
        yield pl.concat(gathered)


def match(store: Store, line: LedgerLine) -> Matched:
    """Stage 4: the frozen changeset; the upload is then staged, or blocked."""
    profile, options = resolved(line)
    staging = store.staging(line.upload_id)
    with staging.open() as database:
        facts = staging.normalized_facts()
        with staged_tables(store, database) as tables:
            changeset = match_rows(
                tables,
                store,
                profile,
                options,
                upload_id=line.upload_id,
                columns=facts.columns_normalized,
                headings=facts.headings_by_field(profile),
            )
        doubtful = blocked_by_dates(database, profile, line.file_name)
        _, row_warnings = count_defects(database)
    reason = doubtful or blocked_because(line.file_name, line.data_rows, profile, options, changeset, facts.doubt)
    return Matched(
        outcomes=changeset.outcomes,
        warnings=_with_members(line, changeset),
        reason=reason,
        changeset_sha256=changeset.sha256,
        snapshot=changeset.snapshot,
        duplicates_of_existing=changeset.duplicates_of_existing,
        duplicates_within_file=changeset.duplicates_within_file,
        deactivated=changeset.deactivated,
        contacts_created=changeset.contacts_created,
        error_count=changeset.error_count,
        row_warning_count=row_warnings,
        staged_files=staging.digests(),
    )


def _with_members(line: LedgerLine, changeset: Changeset) -> list[str]:
    """The upload's warnings; where not all of its people are in its group, with a warning that counts them."""
    warnings = [warning for warning in line.warnings or [] if not warning.endswith(_ALL_ARE_TAKEN)]
    if line.group_name and changeset.not_in_group:
        every = changeset.in_group + changeset.not_in_group
        warnings.append(
            f"Of {every:,} people in the file {changeset.in_group:,} are in the group '{line.group_name}' then; "
            f"{changeset.not_in_group:,} were contacts before and are not. {_ALL_ARE_TAKEN}"
        )
    return warnings


def list_repairs(store: Store, line: LedgerLine, among: Collection[int] | None = None) -> pl.DataFrame:
    """Every repair of an upload, or of some rows (contracts.REPAIRS), computed again from the staged rows."""
    staging = store.staging(line.upload_id)
    if not staging.exists():
        raise not_kept(line, "Plan the file again to see its repairs.")
    profile, _ = resolved(line)
    facts, cells = staging.facts(), staging.table("corrected_cells")
    if not isinstance(facts, NormalizedFacts):
        return empty(REPAIRS)
    profile = with_formats(profile, facts.formats)
    parts = [
        repairs_of(raw, normalized, facts.fields, profile, facts.reference, facts.heading_of, facts.places)
        for raw, rows in ((corrected(raw, cells), rows) for raw, rows in staging.pairs())
        for normalized in [rows if among is None else rows.filter(pl.col("row_number").is_in(list(among)))]
        if not normalized.is_empty()
    ]
    return pl.concat([empty(REPAIRS), *parts])
