"""The Pydantic model of a user's own export profiles, the YAML files in `export_profiles/`."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from contact_pipeline.profiles.base import Model, Name, why_no_delimiter

Of = Literal["contacts", "accounts"]
Format = Literal["csv", "xlsx", "parquet"]
Inactive = Literal["leave_out", "include", "only"]


class ExportColumn(Model):
    """One column of the file. A field's name alone stands for a column with that field."""

    field: Name = Field(description="Field of the contacts or accounts.")
    heading: str = Field(min_length=1, description="Heading in the file; unset: the field's name.")

    @model_validator(mode="before")
    @classmethod
    def _has_a_heading(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"field": given, "heading": given}
        if isinstance(given, dict) and "heading" not in given and "field" in given:
            return {**given, "heading": given["field"]}
        return given


class Condition(Model):
    """What a field must hold. Case makes no difference; of a list, one value is enough."""

    field: Name = Field(description="Field that is looked at.")
    equals: str | None = Field(None, description="The value; of a field of yes and no, yes or no.")
    one_of: list[str] = Field(default=[], description="Values of which it holds one.")
    blank: bool | None = Field(None, description="true: it holds nothing; false: it holds something.")

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        if sum((self.equals is not None, bool(self.one_of), self.blank is not None)) != 1:
            raise ValueError(f"the condition on '{self.field}' has one of: equals, one_of, blank")
        return self


class Filter(Model):
    """Which contacts or accounts are in the file."""

    address_book: Name | None = Field(None, description="Only those of this address book; unset: of all.")
    group: str | None = Field(None, min_length=1, description="Only contacts of this group.")
    inactive: Inactive = Field("leave_out", description="What becomes of contacts that are not active.")
    where: list[Condition] = Field(default=[], description="Conditions on fields; all must be met.")


class ExportProfile(Model):
    """A file to export: its columns, who is in it, in which order, and its format. Its name is that of its file."""

    title: str = Field(min_length=1, description="Name for people.")
    description: str = Field("", description="What the file is for, in a sentence.")
    of: Of = Field(description="What a row is.")
    columns: list[ExportColumn] = Field(min_length=1, description="The columns, in order.")
    filter: Filter = Field(default=Filter(), description="Who is in the file; unset: every active contact, or account.")
    order: list[str] = Field(default=[], description="Fields by which rows are sorted; -field: from the end.")
    format: Format = Field("csv", description="Format of the file where its ending says none.")
    delimiter: str = Field(",", min_length=1, max_length=1, description="Delimiter of CSV files.")

    @field_validator("delimiter")
    @classmethod
    def _parts_cells(cls, given: str) -> str:
        if given in "=+-@":  # a spreadsheet takes what follows for a formula
            raise ValueError(f"{given!r} begins formulas: use a comma, a semicolon, a tab or |")
        if why := why_no_delimiter(given) or (f"{given!r} is not of one byte" if len(given.encode()) > 1 else None):
            raise ValueError(why)
        return given

    @field_validator("order", mode="before")
    @classmethod
    def _several(cls, given: Any) -> Any:
        return [given] if isinstance(given, str) else given

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.of == "accounts" and (self.filter.group or self.filter.inactive != "leave_out"):
            raise ValueError("accounts have no groups, and their status says whether they are active: use filter.where")
        headings = [column.heading for column in self.columns]
        twice = sorted({heading for heading in headings if headings.count(heading) > 1})
        if twice:
            raise ValueError(f"heading '{twice[0]}' stands in two columns")
        return self
