"""Reference data that values are compared with: the users' logins and the loaded vocabularies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reference:
    """What a profile's `login` and `vocabulary` columns refer to, as it stood when the upload was staged."""

    logins: frozenset[str] = frozenset()
    vocabularies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
