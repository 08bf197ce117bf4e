"""Forgets remembered values, for users whom the profile lets import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contact_pipeline.errors import Refusal
from contact_pipeline.profiles import Profile
from contact_pipeline.store import Store
from contact_pipeline.store.reference_data import check_roles
from contact_pipeline.store.value_mappings import forget as forget_mapping
from contact_pipeline.store.value_mappings import list_value_mappings


def forget(store: Store, number: int, profiles: Mapping[str, Profile], actor: str) -> dict[str, Any]:
    """Withdraws a mapping for uploads that are received from now on; returns the withdrawn mapping.

    Raises:
        Refusal: there is no such mapping, or it is forgotten already (`mapping-unknown`); or the role is missing.
    """
    with store.change() as contacts:
        known = {mapping["number"]: mapping for mapping in list_value_mappings(contacts)}
        mapping = known.get(number)
        if mapping is not None and mapping["profile"] in profiles:  # without its profile, anybody may forget it
            check_roles(contacts, profiles[mapping["profile"]], actor)
        if mapping is None or not forget_mapping(contacts, number, actor):
            raise Refusal(
                "mapping-unknown",
                f"There is no remembered value {number}" + (", or it is forgotten already." if mapping else "."),
                "`contact-pipeline value-mappings list` lists them with their numbers.",
            )
        return next(each for each in list_value_mappings(contacts) if each["number"] == number)
