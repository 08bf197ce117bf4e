"""The values of a set's survivor: its own and, where it has none, those of the others. No value is displaced.

So a later file that has a value of any of them still finds the person: by the survivor, or by a contact that is linked
with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from contact_pipeline.terms import CONSENT

# Fields that belong together: taken from two contacts, they would make a name or an address of nobody.
_TOGETHER: Final = (
    ("full_name", "first_name", "last_name"),
    ("address", "city", "zip_code", "region", "country"),
)


def winning(contacts: pl.DataFrame, kinds: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """The values of each survivor after the merge, one line per `survivor`.

    - A field keeps the survivor's value. Where that is blank, the value of the others that was given last (the newest
      effective change; of one commit, the oldest contact's) fills it.
    - The parts of a name, or of an address, are filled from one contact, which contradicts the survivor in none.
    - Lists are put together, the survivor's values first. A wish not to be contacted wins.

    Args:
        contacts: the members, as `Members.contacts` has them.
        kinds: field → its type.
    """
    own = contacts.filter(pl.col("contact_id") == pl.col("survivor")).select(
        "survivor", *(pl.col(name).alias(f"own_{name}") for name in kinds)
    )
    together = [tuple(name for name in names if name in kinds) for names in _TOGETHER]
    single = [name for name, kind in kinds.items() if kind == pl.String and not any(name in each for each in together)]
    chosen = [
        *(_first(pl.col(name), name).alias(name) for name in single),
        *(part for names in together if names for part in _of_one(names)),
        *(_joined(name).alias(name) for name, kind in kinds.items() if kind == pl.List(pl.String)),
        *(_yes_or_no(name).alias(name) for name, kind in kinds.items() if kind == pl.Boolean),
    ]
    return (
        contacts.join(own, on="survivor", how="left", maintain_order="left")
        .group_by("survivor", maintain_order=True)
        .agg(chosen)
        .select("survivor", *kinds)
    )


def _in_order(*names: str) -> list[pl.Expr]:
    """What contacts are sorted by: the survivor first, then who was given a value last, then the oldest."""
    newest = pl.max_horizontal(pl.col(f"at_{name}").cast(pl.Int64).fill_null(0) for name in names)
    return [pl.col("contact_id") != pl.col("survivor"), -newest, pl.col("contact_id")]


def _first(value: pl.Expr, *names: str) -> pl.Expr:
    return value.sort_by(_in_order(*names)).drop_nulls().first()


def _of_one(names: tuple[str, ...]) -> Iterator[pl.Expr]:
    """The survivor's values, filled from the first contact that has any of them and contradicts none."""
    contradicts = pl.any_horizontal((pl.col(name) != pl.col(f"own_{name}")).fill_null(False) for name in names)
    is_other = pl.col("contact_id") != pl.col("survivor")
    fits = is_other & pl.any_horizontal(pl.col(name).is_not_null() for name in names) & ~contradicts
    for name in names:
        filling = pl.struct(name).filter(fits).sort_by([part.filter(fits) for part in _in_order(*names)]).first()
        yield pl.coalesce(pl.col(f"own_{name}").first(), filling.struct.field(name)).alias(name)


def _joined(name: str) -> pl.Expr:
    """All values of a list, each once; null where there is none."""
    values = pl.col(name).sort_by(_in_order(name)).explode(empty_as_null=False, keep_nulls=False)
    distinct = values.unique(maintain_order=True)
    return pl.when(distinct.len() > 0).then(distinct.implode())


def _yes_or_no(name: str) -> pl.Expr:
    first = _first(pl.col(name), name)
    return pl.when(pl.col(name).any()).then(True).otherwise(first) if name == CONSENT else first
