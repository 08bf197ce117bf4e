"""Profiles: those that ship with the project, a user's own, and the model that loads them."""

from contact_pipeline.profiles.base import NAME
from contact_pipeline.profiles.load import BrokenProfile, check_profile, find_profiles, load_profile
from contact_pipeline.profiles.model import Column, Profile, masked
from contact_pipeline.profiles.rules import (
    AnyOf,
    InOrder,
    MatchRule,
    Narrow,
    RequiredWhen,
    Same,
    Together,
    Unique,
)
from contact_pipeline.profiles.sensitive import looks_in, looks_in_contacts

__all__ = [
    "NAME",
    "AnyOf",
    "BrokenProfile",
    "Column",
    "InOrder",
    "MatchRule",
    "Narrow",
    "Profile",
    "RequiredWhen",
    "Same",
    "Together",
    "Unique",
    "check_profile",
    "find_profiles",
    "load_profile",
    "looks_in",
    "looks_in_contacts",
    "masked",
]
