"""The bound: the same job written by hand for this one file and these rules, straight through, in Polars.

    python -m benchmarks.bound DATA CONTACTS.duckdb [--laps]

Reads DATA/incoming.csv, works on CONTACTS.duckdb (made by `base`), and leaves there the contacts, their history, the
outcome of every row and the rejections, all of it as make_contacts says. What it does not do: say anything in words,
stage or freeze, ask, survive being killed, take back, or read any other file than this.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import duckdb
import polars as pl
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

FIELDS: Final = (
    "first_name", "last_name", "email", "phone", "account_number", "date_of_birth", "zip_code", "ssn", "segment",
    "remark",
)  # fmt: skip
_KINDS: Final = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip", "personal_number", "pager", "uan",
    "voicemail",
)  # fmt: skip
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL: Final = rf"^{_ATOM}(?:\.{_ATOM})*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]*[a-z]$"

c = pl.col


def base(data: Path) -> Path:
    """The contacts of DATA as the bound keeps them; made once."""
    path = data / "bound.duckdb"
    if not path.exists():
        new = path.with_suffix(".new")
        database = duckdb.connect(str(new))
        database.execute(f"CREATE TABLE contacts AS FROM '{data}/existing/*.parquet'")
        database.execute("""
            CREATE TABLE history (row_number UINTEGER, contact_id BIGINT, action VARCHAR, field VARCHAR,
                                  before VARCHAR, after VARCHAR)""")
        sides = ", ".join(
            f"max({side}) FILTER (field = '{field}') AS {side}_{field}"
            for field in FIELDS
            for side in ("before", "after")
        )
        database.execute(f"""
            CREATE VIEW contact_changes AS
            SELECT row_number, contact_id, action, {sides} FROM history GROUP BY row_number, contact_id, action""")
        database.close()
        new.rename(path)
    return path


class Stream:
    """A frame that DuckDB reads by Arrow's C stream, for which no further library is needed."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


class Laps:
    """Prints the seconds since the last lap."""

    def __init__(self, said: bool) -> None:
        self._said, self._last = said, time.perf_counter()

    def lap(self, name: str) -> None:
        """Ends a lap."""
        if self._said:
            print(f"{name:24}{time.perf_counter() - self._last:8.2f} s")
        self._last = time.perf_counter()


def import_file(data: Path, contacts: Path, *, laps: bool = False) -> None:
    """The whole job."""
    clock = Laps(laps)
    rows = read(data / "incoming.csv")
    clock.lap("read, normalize, validate")
    bad = rows.select(pl.any_horizontal(c(f"!{code}") for code in _CHECKS)).to_series()
    rejections = _rejections(rows.filter(bad))
    present = _usable(rows.filter(bad))
    rows = rows.drop(f"!{code}" for code in _CHECKS).filter(~bad)
    clock.lap("rejections")
    database = duckdb.connect(str(contacts))
    old = pl.DataFrame(database.sql("FROM contacts")).with_row_index("at")
    clock.lap("read contacts")
    found, reached = match(rows, present, old)
    clock.lap("match")
    first = found.select("target").to_series().is_first_distinct() | found["target"].is_null()
    known = ~found["review"] & found["target"].is_not_null()
    new = ~found["review"] & found["target"].is_null()
    key = rows.select(pl.coalesce(c("email").str.to_lowercase(), c("account_number").str.to_lowercase(), _name_phone()))
    leads = rows.select("row_number").with_columns(key).filter(new)
    lead = leads.unique("email", keep="first", maintain_order=True).rename({"row_number": "first"})
    again = leads.join(lead, on="email", how="left").filter(c("row_number") != c("first"))
    creates = new & ~rows["row_number"].is_in(again["row_number"].implode())
    firsts = rows.select("row_number", target=found["target"]).filter(known & first)
    repeats = rows.select("row_number", target=found["target"]).filter(known & ~first)
    repeats = repeats.join(firsts.rename({"row_number": "first"}), on="target", how="left")
    clock.lap("duplicates")
    pairs = _pairs(rows.filter(known & first), old, found["target"].filter(known & first))
    gone = old.filter(c("active") & ~c("at").is_in(reached.implode())).select("contact_id")
    top: int = database.sql("SELECT coalesce(max(contact_id), 0) FROM contacts").fetchall()[0][0]
    created = rows.filter(creates).with_columns(contact_id=top + 1 + pl.int_range(pl.len(), dtype=pl.Int64))
    history = _history(pairs, created, gone)
    outcomes = _outcomes(
        rejections,
        rows.filter(found["review"]),
        pairs,
        created,
        pl.concat([again.drop("email"), repeats.drop("target")]),
    )
    clock.lap("changes")
    write(database, old, pairs, created, gone, history, outcomes, rejections)
    clock.lap("write")
    database.close()
    clock.lap("close")


def read(file: Path) -> pl.DataFrame:
    """The rows in canonical form, and for each check a column that is true where a row fails it."""
    rows = pl.scan_csv(file, infer_schema=False, row_index_name="row_number", row_index_offset=2)
    rows = rows.with_columns(c(field).str.strip_chars().replace("", None) for field in FIELDS)
    bare = c("phone").str.replace_all(r"[ ().\-]", "")
    e164 = (
        pl.when(bare.str.starts_with("+")).then(bare)
        .when(bare.str.starts_with("011")).then("+" + bare.str.slice(3))
        .when(bare.str.len_bytes() == 11).then("+" + bare)
        .otherwise("+1" + bare)
    )  # fmt: skip
    at = c("email").str.find("@", literal=True)
    plain = ~c("email").str.contains("@.*[A-Z]")
    email = c("email").str.slice(0, at) + c("email").str.slice(at).str.to_lowercase()
    days = [
        c("date_of_birth").str.to_date(form, strict=False) for form in ("%Y-%m-%d", "%m/%d/%Y", "%d %b %Y", "%Y%m%d")
    ]
    ssn = c("ssn").str.replace_all("-", "", literal=True)
    dashed = ssn.str.slice(0, 3) + "-" + ssn.str.slice(3, 2) + "-" + ssn.str.slice(5)
    lost = c("zip_code").str.len_bytes().is_between(3, 4)
    rows = rows.with_columns(
        _name("first_name"),
        _name("last_name"),
        email=pl.when(plain).then("email").otherwise(email.fill_null(c("email"))),
        phone=e164,
        born=pl.coalesce(days),
        zip_code=pl.when(lost).then(c("zip_code").str.zfill(5)).otherwise("zip_code"),
        ssn=dashed,
        segment=c("segment").str.to_lowercase(),
        remark=pl.when(c("remark").str.contains(r"\s\s|[\n\t]"))
        .then(c("remark").str.replace_all(r"\s+", " "))
        .otherwise("remark"),
    )
    checks = [test.fill_null(False).alias(f"!{code}") for code, (_, test) in _CHECKS.items()]
    rows = rows.with_columns(checks).with_columns(date_of_birth=c("born").dt.strftime("%Y-%m-%d")).drop("born")
    return rows.collect(engine="streaming")


def _name(field: str) -> pl.Expr:
    name = c(field)
    return pl.when(name == name.str.to_uppercase()).then(name.str.to_titlecase()).otherwise(name)


def _name_phone() -> pl.Expr:
    """The third key; a row or a contact without a telephone number has none."""
    name = pl.concat_str("first_name", "last_name", separator=" ", ignore_nulls=True).str.to_lowercase()
    return pl.concat_str(name, "phone", separator="|")


def _valid(codes: Iterable[int]) -> str:
    """The numbers of some countries that libphonenumber's metadata calls valid, as a pattern over E.164."""
    patterns = []
    for code in codes:
        kinds = set()
        for region in COUNTRY_CODE_TO_REGION_CODE[code]:
            find = PhoneMetadata.metadata_for_nongeo_region if region == "001" else PhoneMetadata.metadata_for_region
            known = find(code if region == "001" else region)  # type: ignore[arg-type]
            kinds |= {kind.national_number_pattern for name in _KINDS if known and (kind := getattr(known, name))}
        patterns.append(f"{code}(?:{'|'.join(sorted(kind for kind in kinds if kind))})")
    inside = re.sub(r"\[[^\]]*\]", lambda found: found[0].replace(r"\d", "0-9"), "|".join(patterns))
    return r"^\+(?:" + re.sub(r"\((?!\?)", "(?:", inside.replace(r"\d", "[0-9]")) + ")$"


def _is_phone() -> pl.Expr:
    """Numbers of the US and its neighbours by their own short pattern, the few others by the long one."""

    def test(phones: pl.Series) -> pl.Series:
        valid = phones.str.contains(_valid([1]))
        rest = (~valid & ~phones.str.starts_with("+1")).fill_null(False).arg_true()
        return valid.scatter(rest, phones.gather(rest).str.contains(_valid(set(COUNTRY_CODE_TO_REGION_CODE) - {1})))

    return c("phone").map_batches(test, return_dtype=pl.Boolean, is_elementwise=True)


_SSN: Final = c("ssn").str.contains("^[0-9]{3}-[0-9]{2}-[0-9]{4}$")
_CHECKS: Final[dict[str, tuple[str | None, pl.Expr]]] = {
    "required": ("last_name", c("last_name").is_null()),
    "needs-one-of": (None, c("email").is_null() & c("account_number").is_null() & c("phone").is_null()),
    "email-syntax": ("email", ~c("email").str.contains(_EMAIL)),
    "phone-invalid": ("phone", ~_is_phone()),
    "date-format": ("date_of_birth", c("date_of_birth").is_not_null() & c("born").is_null()),
    "date-future": ("date_of_birth", c("born") > pl.lit(time.strftime("%Y-%m-%d")).str.to_date()),
    "date-before-1900": ("date_of_birth", c("born") < pl.date(1900, 1, 1)),
    "zip-code-format": ("zip_code", ~c("zip_code").str.contains("^[0-9]{5}(?:-[0-9]{4})?$")),
    "ssn-format": ("ssn", ~_SSN),
    "ssn-never-issued": ("ssn", _SSN & c("ssn").str.contains("^000|^666|^9|-00-|-0000$")),
    "not-a-choice": ("segment", ~c("segment").is_in(["customer", "lead", "partner", "vendor"])),
    **{f"too-long-{f}": (f, c(f).str.len_chars() > (100 if f in {"first_name", "last_name"} else 500)) for f in
       ("first_name", "last_name", "account_number", "remark")},
}  # fmt: skip


def _rejections(rows: pl.DataFrame) -> pl.DataFrame:
    found = [
        rows.filter(c(f"!{code}")).select(
            "row_number",
            field=pl.lit(field, pl.String),
            value=pl.lit(None, pl.String) if field is None or field in {"ssn", "date_of_birth"} else c(field),
            code=pl.lit(code.partition("-last")[0]),
            severity=pl.lit("error"),
        )
        for code, (field, _) in _CHECKS.items()
    ]
    return pl.concat(found)


def _usable(rows: pl.DataFrame) -> pl.DataFrame:
    """What of rejected rows says whom they are for."""
    wrong = {
        f: pl.any_horizontal(c(f"!{code}") for code, (g, _) in _CHECKS.items() if g == f) for f in ("email", "phone")
    }
    return rows.with_columns(pl.when(~test).then(field).alias(field) for field, test in wrong.items())


def match(rows: pl.DataFrame, present: pl.DataFrame, old: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """For every row the place of its contact, or none, and whether only a person can say; and the places reached.

    A row is a contact by e-mail address or account number, else by name and telephone number.
    """
    lookups = [(f, old.select(key=c(f).str.to_lowercase(), at="at").drop_nulls()) for f in ("email", "account_number")]

    def places(some: pl.DataFrame) -> pl.DataFrame:
        return pl.DataFrame(
            {
                field: some.select(key=c(field).str.to_lowercase()).join(
                    lookup, on="key", how="left", maintain_order="left"
                )["at"]
                for field, lookup in lookups
            }
        )

    by, of_bad = places(rows), places(present)
    review = (by["email"] != by["account_number"]).fill_null(False)
    target = by["email"].fill_null(by["account_number"])
    left = rows.select("row_number", key=_name_phone()).filter(target.is_null()).drop_nulls()
    left_of_bad = present.select("row_number", key=_name_phone()).drop_nulls()
    named = old.select("at", key=_name_phone()).drop_nulls()
    several = left.join(named, on="key").group_by("row_number").agg(c("at").min(), n=pl.len())
    second = rows.select("row_number").join(several, on="row_number", how="left", maintain_order="left")
    # What follows from the name alone counts only where the first rule found nobody.
    found = pl.DataFrame(
        {"target": target.fill_null(second["at"]), "review": review | (second["n"] > 1).fill_null(False)}
    )
    reached = pl.concat(
        [*by.get_columns(), *of_bad.get_columns(), pl.concat([left, left_of_bad]).join(named, on="key")["at"]]
    )
    return found.with_columns(pl.when(~c("review")).then("target").alias("target")), reached.drop_nulls()


def _pairs(rows: pl.DataFrame, old: pl.DataFrame, at: pl.Series) -> pl.DataFrame:
    """Every row beside its contact (`old_…`), and which fields it changes (`x_…`); a blank changes nothing."""
    there = old[at].rename({field: f"old_{field}" for field in FIELDS})
    pairs = pl.concat([rows, there], how="horizontal")
    pairs = pairs.with_columns((c(f).is_not_null() & c(f).ne_missing(c(f"old_{f}"))).alias(f"x_{f}") for f in FIELDS)
    return pairs.with_columns(changes=pl.any_horizontal(c(f"x_{f}") for f in FIELDS))


def _history(pairs: pl.DataFrame, created: pl.DataFrame, gone: pl.DataFrame) -> pl.DataFrame:
    changed = [
        pairs.filter(f"x_{field}").select(
            "row_number", "contact_id", action=pl.lit("update"), field=pl.lit(field), before=f"old_{field}", after=field
        )
        for field in FIELDS
    ]
    made = created.select("row_number", "contact_id", action=pl.lit("create"))
    return pl.concat([*changed, made, gone.with_columns(action=pl.lit("deactivate"))], how="diagonal")


def _outcomes(
    rejections: pl.DataFrame, review: pl.DataFrame, pairs: pl.DataFrame, created: pl.DataFrame, repeats: pl.DataFrame
) -> pl.DataFrame:
    updated = pl.when("changes").then(pl.lit("updated")).otherwise(pl.lit("unchanged"))
    return pl.concat(
        [
            rejections.select("row_number").unique().with_columns(outcome=pl.lit("rejected")),
            review.select("row_number", outcome=pl.lit("review")),
            pairs.select("row_number", "contact_id", outcome=updated),
            created.select("row_number", "contact_id", outcome=pl.lit("created")),
            repeats.select("row_number", outcome=pl.lit("duplicate"), duplicate_of_row="first"),
        ],
        how="diagonal",
    )


def write(
    database: duckdb.DuckDBPyConnection,
    old: pl.DataFrame,
    pairs: pl.DataFrame,
    created: pl.DataFrame,
    gone: pl.DataFrame,
    history: pl.DataFrame,
    outcomes: pl.DataFrame,
    rejections: pl.DataFrame,
) -> None:
    """Everything in one transaction; the contacts are written anew, which is the fastest where so many change."""
    delta = pairs.filter("changes").select("at", *(pl.coalesce(f, f"old_{f}").alias(f) for f in FIELDS))
    place = pl.Series([None], dtype=pl.UInt32).new_from_index(0, old.height)
    place = place.scatter(delta["at"], pl.int_range(delta.height, dtype=pl.UInt32, eager=True))
    picked = delta.select(c(FIELDS).gather(place))
    kept = old.select(
        "contact_id",
        active=c("active") & ~c("contact_id").is_in(gone["contact_id"].implode()),
        **{field: pl.when(place.is_not_null()).then(picked[field]).otherwise(c(field)) for field in FIELDS},
    )
    made = created.select("contact_id", *FIELDS, active=pl.lit(True))
    database.execute("BEGIN")
    database.execute("DROP TABLE contacts")
    for statement, table in (
        ("CREATE TABLE contacts AS FROM frame", kept),
        ("INSERT INTO contacts BY NAME FROM frame", made),
        ("INSERT INTO history BY NAME FROM frame", history),
        ("CREATE TABLE outcome_rows AS FROM frame", outcomes),
        ("CREATE TABLE rejections AS FROM frame", rejections),
    ):
        database.register("frame", Stream(table))
        database.execute(statement)
        database.unregister("frame")
    database.execute("COMMIT")


def main() -> None:
    """Imports the file of one folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("contacts", type=Path, help="a copy of DATA/bound.duckdb, which `base` makes")
    parser.add_argument("--laps", action="store_true", help="say how long each part takes")
    given = parser.parse_args()
    import_file(given.data, given.contacts, laps=given.laps)


if __name__ == "__main__":
    main()
