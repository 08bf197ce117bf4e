"""Resolves which cells, rows and columns of an upload a correction means; refuses what cannot be corrected."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from contact_pipeline.errors import Refusal, Usage, listed
from contact_pipeline.headings.mapping import columns_under, lacking, nearest
from contact_pipeline.headings.naming import shown
from contact_pipeline.masking import mask_heading, mask_value
from contact_pipeline.match import Part, parts_of
from contact_pipeline.normalize import compared
from contact_pipeline.normalize.sources import names_of
from contact_pipeline.profiles import Profile, looks_in
from contact_pipeline.profiles.options import UploadOptions
from contact_pipeline.store import LedgerLine, Staging
from contact_pipeline.store.corrected import corrected
from contact_pipeline.store.corrections import InEffect
from contact_pipeline.store.facts import NormalizedFacts
from contact_pipeline.terms import COLUMN_OF

_NEAREST_OF: Final = 10_000  # distinct values that are searched for a "Did you mean"

CELLS: Final = pl.Schema(
    {
        "kind": pl.String, "row_number": pl.UInt32, "column": pl.String, "field": pl.String, "before": pl.String,
        "after": pl.String,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Staged:
    """A planned upload that is to be corrected.

    Attributes:
        line: its ledger line.
        profile: the profile as resolved for the upload.
        options: its options.
        staging: its staged data.
        facts: headings, columns and mapping of its file.
        corrections: the corrections in effect.
    """

    line: LedgerLine
    profile: Profile
    options: UploadOptions
    staging: Staging
    facts: NormalizedFacts
    corrections: InEffect

    def fill(self, name: str) -> tuple[str, list[str]]:
        """The field and the raw columns that a field name or heading means.

        Raises:
            Refusal: there is no such field or heading (`field-unknown`), or nothing in the file fills it
                (`field-without-column`).
        """
        columns = [column for column, field in self.facts.fields.items() if field == name]
        if columns:
            return name, columns
        columns = [self.facts.columns[n] for n in columns_under(name, self.facts.headings)]
        if len(columns) > 1:
            raise self._refusal(
                "heading-ambiguous",
                f"{len(columns)} columns of {self.line.file_name} are called {shown([name])}.",
                f"Name one of them: {self._named(columns)}.",
            )
        if columns:
            return self.filled_by(columns[0])
        if name in self.profile.column_of:
            raise self._without_column(name, columns)
        raise self._unknown(name, "field-unknown", "a field or heading")

    def labelled(self, name: str) -> str | None:
        """The raw column of exactly this heading; None: there is none."""
        return next((column for column, label in self.facts.label_of.items() if label == name), None)

    def filled_by(self, column: str) -> tuple[str, list[str]]:
        """The field that a raw column fills, and the column.

        Raises:
            Refusal: the column fills no field (`field-without-column`).
        """
        if column not in self.facts.fields:
            raise self._without_column(self.facts.label_of[column], [column])
        return self.facts.fields[column], [column]

    def heading(self, name: str) -> str:
        """The raw column under a heading, or the only one that fills a field.

        Raises:
            Refusal: there is no such heading (`heading-unknown`), or there are several (`heading-ambiguous`).
        """
        columns = [self.facts.columns[n] for n in columns_under(name, self.facts.headings)]
        columns = columns or [column for column, field in self.facts.mapped.items() if field == name]
        if len(columns) == 1:
            return columns[0]
        if columns:
            raise self._refusal(
                "heading-ambiguous",
                f"Several columns of {self.line.file_name} are {shown([name])}.",
                f"Name one of them: {self._named(columns)}.",
            )
        raise self._unknown(name, "heading-unknown", "a heading")

    def read(self, columns: Collection[str]) -> pl.DataFrame:
        """Raw columns with the corrections in effect, and row_number."""
        wanted = ["row_number", *dict.fromkeys(columns)]
        return pl.concat(
            corrected(raw.select(wanted), self.corrections.cells)
            for raw in self.staging.slices("raw", 1_000_000, wanted)
        )

    def row(self, row_number: int) -> int:
        """A row of the file that has cells.

        Raises:
            Refusal: there is no such row (`row-unknown`), it could not be split into columns (`row-unreadable`), or
                its person was erased (`erased`).
        """
        if row_number not in self.read(())["row_number"]:
            if row_number in self.staging.table("unreadable_rows")["row_number"]:
                raise self._refusal(
                    "row-unreadable",
                    f"Row {row_number} of {self.line.file_name} could not be split into columns.",
                    "Correct it in the file and plan it again, or leave the row out of this plan with `leave-out`.",
                    row_number,
                )
            raise self.no_row(row_number)
        if row_number in self.erased():
            message = f"Row {row_number} of {self.line.file_name} is of a person who was erased."
            raise self._refusal("erased", message, "It stays empty.", row_number)
        return row_number

    def no_row(self, row_number: int) -> Refusal:
        """The refusal of a row that the file does not have."""
        return self._refusal(
            "row-unknown",
            f"{self.line.file_name} has no row {row_number}.",
            "The heading is row 1 of most files; `show --rows` lists the rows with their numbers.",
            row_number,
        )

    def erased(self) -> pl.Series:
        """The rows of people who were erased."""
        return self.staging.table("rejections").filter(pl.col("code") == "erased")["row_number"]

    def equal(self, name: str, value: str) -> pl.Series:
        """The rows with a value in a column; case and spaces make no difference, and blank is a value, too.

        Raises:
            Refusal: see `heading`; or no row has the value (`nothing-equal`).
        """
        column = self.heading(name)
        rows = self.read([column])
        keys = rows.select(compared(pl.col(column))).to_series()
        key = self.key(value)
        found = rows["row_number"].filter(keys.eq_missing(pl.Series([key], dtype=pl.String)))
        without = [self.erased(), *([self.staging.table("blank_rows")["row_number"]] if key is None else [])]
        found = found.filter(~found.is_in(pl.concat(without).implode()))
        if found.is_empty():
            raise self._none_equal(column, value, keys)
        return found

    @staticmethod
    def key(value: str) -> str | None:
        """A value in the form in which values are compared."""
        key: str | None = pl.select(compared(pl.lit(value, pl.String))).item()
        return key

    def cells(self, rows: pl.Series, wanted: Mapping[str, str | None]) -> pl.DataFrame:
        """The corrections (CELLS) that give cells of these rows these texts, except where a cell has the text already.

        If several columns fill a field, the one that counts in a row is corrected.

        Args:
            rows: row numbers.
            wanted: field or heading → text; None and the empty text: blank.

        Raises:
            Usage: two of the names mean the same cell.
        """
        parts, meant = [pl.DataFrame(schema=CELLS)], []
        for name, text in wanted.items():
            field, columns = self.fill(name)
            counting = self._column_that_counts(field, columns)
            read = self.read(columns).filter(pl.col("row_number").is_in(rows.implode()))
            for column in columns:
                used = read if len(columns) == 1 else read.join(counting.filter(column=column), on="row_number")
                meant.append(used.select("row_number", column=pl.lit(column)))
                parts.append(self.differing(used.with_columns(after=pl.lit(text or None, pl.String)), field, column))
        if meant:
            cells = pl.concat(meant)
            for row, column in cells.filter(cells.is_duplicated()).head(1).iter_rows():
                message = f"{shown([self.facts.label_of[column]])} is set twice in row {row}."
                raise Usage("usage", message, "Set it once: a field and its heading are the same cell.")
        return pl.concat(parts)

    def differing(self, rows: pl.DataFrame, field: str, column: str) -> pl.DataFrame:
        """The corrections (CELLS) that give a raw column the texts in `after`, where it has other texts."""
        return rows.filter(pl.col(column).ne_missing(pl.col("after"))).select(
            pl.lit("cell").alias("kind"),
            "row_number",
            pl.lit(column).alias("column"),
            pl.lit(field).alias("field"),
            pl.col(column).alias("before"),
            "after",
        )

    def must_spare(self, column: str, others: Collection[str]) -> None:
        """Tests that the plan can do without a column, if the others are left out too.

        Raises:
            Refusal: the column fills no field (`field-without-column`), or is needed (`column-needed`).
        """
        heading = shown([self.facts.heading_of[column]])
        if column not in self.facts.mapped:
            message = f"Column {heading} of {self.line.file_name} fills no field: nothing of it is in the plan."
            raise self._refusal("field-without-column", message, f"These can be left out: {self._mapped()}.")
        left = {field for name, field in self.facts.fields.items() if name != column and name not in others}
        needs = set(lacking(self.profile, left)) - set(lacking(self.profile, set(self.facts.fields.values())))
        if needs or not self._can_be_matched(left):
            why = f"profile {self.profile.name} needs {listed(sorted(needs))}"
            if not needs:
                why = f"no match rule of profile {self.profile.name} could find anybody without it"
            raise self._refusal(
                "column-needed",
                f"Column {heading} of {self.line.file_name} cannot be left out: {why}.",
                "Correct its cells, or leave out the rows that are wrong.",
            )

    def _can_be_matched(self, fields: Collection[str]) -> bool:
        """Whether every part of a row that has match rules now would still have one with these fields."""
        now, then = (self._parts(names) for names in ({*self.facts.fields.values()}, fields))
        return all(left.rules or not part.rules for part, left in zip(now, then, strict=True))

    def _parts(self, fields: Collection[str]) -> list[Part]:
        named = {"full_name"} if {"first_name", "last_name"} & {*fields} else set()
        return parts_of(self.profile, self.options, {*fields, *named}, {})

    def _column_that_counts(self, field: str, columns: list[str]) -> pl.DataFrame:
        """For each row_number, the column that counts for a field: the first one where no column is filled."""
        name = f"{COLUMN_OF}{field}"
        if len(columns) == 1 or name not in self.facts.columns_normalized:
            return self.read(()).select("row_number", column=pl.lit(columns[0]))
        names = names_of(self.facts.heading_of)
        of_name = {names[column]: column for column in reversed(columns)}
        counting = self.staging.table("normalized_rows").select(
            "row_number", chosen=pl.col(name).replace_strict(of_name, default=None, return_dtype=pl.String)
        )
        rows = self.read(()).join(counting, on="row_number", how="left")
        return rows.select("row_number", column=pl.col("chosen").fill_null(columns[0]))

    def _without_column(self, name: str, columns: list[str]) -> Refusal:
        file = self.line.file_name
        message, fix = f"{file} has no column for {name}.", f"To fill {name}, plan the file again with a column for it."
        if columns:
            message, fix = (
                f"Column {shown([name])} of {file} fills no field.",
                "To take it, plan the file again with --map.",
            )
        if {*columns} & {*self.facts.left_out} or name in {self.facts.mapped[each] for each in self.facts.left_out}:
            message, fix = f"The column for {shown([name])} is left out of the plan.", "Take that back first."
        return self._refusal("field-without-column", message, f"{fix} These can be corrected: {self._mapped()}.")

    def _none_equal(self, column: str, value: str, keys: pl.Series) -> Refusal:
        looks = looks_in(self.profile, self.facts.mapped.get(column), as_read=True)
        shown_value = mask_value(value, looks)
        near = None
        if looks is not None and value.strip():
            near = nearest([value], keys.drop_nulls().unique().head(_NEAREST_OF).to_list())
        hint = f" Did you mean '{mask_value(near, looks)}'?" if near else ""
        heading = shown([self.facts.heading_of[column]])
        message = f"No row of {self.line.file_name} has '{shown_value}' in {heading}."
        if not value.strip():
            message = f"In no row of {self.line.file_name} is {heading} blank."
        return self._refusal("nothing-equal", f"{message}{hint}", "Case and spaces make no difference; all else does.")

    def _unknown(self, name: str, code: str, what: str) -> Refusal:
        labels = [label for label in self.facts.label_of.values() if label.strip()]
        near = nearest([name], list(dict.fromkeys([*labels, *self.facts.fields.values()])))
        hint = f" Did you mean {shown([near])}?" if near else ""
        message = f"{shown([name])} is not {what} of {self.line.file_name}.{hint}"
        fix = f"These can be corrected: {self._mapped()}."
        return self._refusal(
            code, message, fix if code == "field-unknown" else f"Its headings: {shown(labels, limit=30)}."
        )

    def _mapped(self) -> str:
        return ", ".join(
            f"{mask_heading(self.facts.label_of[column])} ({field})" for column, field in self.facts.fields.items()
        )

    def _named(self, columns: Collection[str]) -> str:
        return shown([self.facts.label_of[column] for column in columns])

    def _refusal(self, code: str, message: str, fix: str, row_number: int | None = None) -> Refusal:
        return Refusal(code, message, fix, file=self.line.file_name, row_number=row_number)
