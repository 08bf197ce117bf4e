"""Every kind of value, by the type that a profile gives a column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contact_pipeline.kinds.boolean import BOOLEAN
from contact_pipeline.kinds.choice import CHOICE
from contact_pipeline.kinds.country import COUNTRY
from contact_pipeline.kinds.date import DATE
from contact_pipeline.kinds.email import EMAIL
from contact_pipeline.kinds.identifier import IDENTIFIER
from contact_pipeline.kinds.kind import Kind
from contact_pipeline.kinds.listing import LIST
from contact_pipeline.kinds.login import LOGIN
from contact_pipeline.kinds.moment import MOMENT
from contact_pipeline.kinds.name import NAME
from contact_pipeline.kinds.phone import PHONE
from contact_pipeline.kinds.postal_code import POSTAL_CODE
from contact_pipeline.kinds.ssn import SSN
from contact_pipeline.kinds.text import TEXT
from contact_pipeline.profiles import Column, Profile
from contact_pipeline.profiles.model import FieldType

KINDS: Final[Mapping[FieldType, Kind]] = {
    "text": TEXT,
    "name": NAME,
    "email": EMAIL,
    "phone": PHONE,
    "date": DATE,
    "moment": MOMENT,
    "ssn": SSN,
    "zip_code": POSTAL_CODE,
    "country": COUNTRY,
    "identifier": IDENTIFIER,
    "choice": CHOICE,
    "list": LIST,
    "login": LOGIN,
    "boolean": BOOLEAN,
}


def country_column(profile: Profile) -> Column | None:
    """The column that says to which country a row belongs; None: the profile has none."""
    column = profile.column_of.get("country")
    return column if column is not None and KINDS[column.type].is_country else None
