"""Makes a file of contacts, the contacts that are there before it, and what is to become of every row.

    python -m benchmarks.make_contacts --rows 1000000 --existing 1000000 --out data/bench/1m

The same arguments give the same bytes. The answers follow from how each row is made, by the rules of
benchmark_contacts.yaml; no part of the pipeline is asked. In the folder afterwards:

    incoming.csv        the file
    existing/*.parquet  the contacts before it: contact_id, active and the fields
    home/               the same as a home of contact_pipeline, with the profile
    answer/*.parquet    row_number, outcome, contact_id, duplicate_of_row, changed ("a,b"), errors ("field:code,…")
    values/*.parquet    for every hundredth row that changes a contact, the contact's fields afterwards
    missing.parquet     ids of the contacts that are deactivated, being in no row
    summary.json        how many of each
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import polars as pl

from benchmarks.people import FIELDS, NEW_LAST_NAMES, SEGMENTS, chance, choice, has_account, one_of, other_phone, people
from contact_pipeline.engines import literal
from contact_pipeline.settings import Settings
from contact_pipeline.store import Store
from contact_pipeline.store.schema import add_contact_fields

PROFILE: Final = Path(__file__).with_name("benchmark_contacts.yaml")
ADDRESS_BOOK: Final = "benchmark"

_SLICE: Final = 500_000
_SAMPLE: Final = 100

# What is wrong with a row: the field, the text that stands there, and the code of the defect.
_DEFECTS: Final[tuple[tuple[tuple[str, str, str], ...], ...]] = (
    (("last_name", "   ", "required"),),
    (("phone", "12345", "phone-invalid"),),
    (("phone", "ask later", "phone-invalid"),),
    (("phone", "(123) 555-0147", "phone-invalid"),),
    (("phone", "+44 12", "phone-invalid"),),
    (("phone", "202-555-01470000", "phone-invalid"),),
    (("date_of_birth", "13/45/1990", "date-format"),),
    (("date_of_birth", "02/30/1985", "date-format"),),
    (("date_of_birth", "some day", "date-format"),),
    (("date_of_birth", "2190-01-01", "date-future"),),
    (("date_of_birth", "1066-10-14", "date-before-1900"),),
    (("zip_code", "12", "zip-code-format"),),
    (("zip_code", "ABCDE", "zip-code-format"),),
    (("zip_code", "123456", "zip-code-format"),),
    (("ssn", "123-45-678", "ssn-format"),),
    (("ssn", "000-12-3456", "ssn-never-issued"),),
    (("segment", "frend", "not-a-choice"),),
    (("zip_code", "9", "zip-code-format"), ("segment", "x", "not-a-choice")),
    (("date_of_birth", "yesterday", "date-format"), ("ssn", "12", "ssn-format")),
    (("email", "ida@", "email-syntax"),),
    (("email", "ida berg@example.com", "email-syntax"),),
    (("email", "ida@@example.com", "email-syntax"),),
    (("email", "ida.example.com", "email-syntax"),),
    (("email", ".ida@example.com", "email-syntax"),),
    (("email", "ida@b", "email-syntax"),),
    (("email", "bad@", "email-syntax"), ("phone", "99", "phone-invalid")),
)
_WITHOUT_EMAIL: Final = 19  # the first ones leave the address, for rows that have no account number


@dataclass(frozen=True, slots=True)
class Shares:
    """How the rows are made up; the rest are new people.

    Attributes:
        matched: rows that are somebody there already.
        changed: of these, rows that bring something new.
        bad: rows with a defect.
        duplicates: rows for somebody whom an earlier row is for.
        doubtful: rows that could be two contacts.
        missing: contacts that are in no row and are deactivated, for each row, at most.
    """

    matched: float = 0.60
    changed: float = 0.50
    bad: float = 0.03
    duplicates: float = 0.02
    doubtful: float = 0.003
    missing: float = 0.05


@dataclass(frozen=True, slots=True)
class Counts:
    """The shares as numbers of rows. People are numbered: those there are, those who are new, those new and bad."""

    rows: int
    existing: int
    matched: int
    new: int
    bad: int
    bad_there: int
    duplicates: int
    two_keys: int
    two_homes: int


def main() -> None:
    """Makes one folder and says what is in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--existing", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=7)
    for name, share in asdict(Shares()).items():
        parser.add_argument(f"--{name}", type=float, default=share)
    parser.add_argument("--out", type=Path, required=True)
    given = vars(parser.parse_args())
    shares = Shares(**{name: given[name] for name in asdict(Shares())})
    print(json.dumps(make_contacts(given["out"], given["rows"], given["existing"], given["seed"], shares)))


def make_contacts(out: Path, rows: int, existing: int, seed: int = 7, shares: Shares | None = None) -> dict[str, int]:
    """Makes the folder anew; the numbers that summary.json holds."""
    shares = shares or Shares()
    counts = _counts(rows, existing, shares)
    shutil.rmtree(out, ignore_errors=True)
    for folder in ("existing", "answer", "values"):
        (out / folder).mkdir(parents=True)
    drawn, missing, at_rest = _draw(counts, shares, seed)
    _write_existing(out, counts, at_rest)
    missing.sort().to_frame("contact_id").write_parquet(out / "missing.parquet")
    found: dict[str, int] = {}
    with (out / "incoming.csv").open("wb") as file:
        for number, (raw, answer, values) in enumerate(_slices(drawn, counts, shares)):
            raw.write_csv(file, include_header=number == 0)
            answer.write_parquet(out / "answer" / f"{number:05d}.parquet")
            values.write_parquet(out / "values" / f"{number:05d}.parquet")
            for outcome, count in answer["outcome"].value_counts().iter_rows():
                found[outcome] = found.get(outcome, 0) + count
    summary = {"rows": rows, "existing": existing, "seed": seed, "bytes": (out / "incoming.csv").stat().st_size}
    summary |= dict(sorted(found.items())) | {"deactivated": missing.len()}
    (out / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    _write_home(out)
    return summary


def _counts(rows: int, existing: int, shares: Shares) -> Counts:
    bad, duplicates = round(rows * shares.bad), round(rows * shares.duplicates)
    # Those in doubt need two contacts each. A file may be many times as long as there are contacts.
    homes = min(round(rows * shares.doubtful / 3), existing // 50)
    keys = 2 * homes
    bad_there = min(bad // 2, existing // 10)
    matched = min(round(rows * shares.matched), existing - 2 * homes - 3 * keys - bad_there)
    new = rows - matched - bad - duplicates - keys - homes
    if matched < 0 or new < 0:
        raise SystemExit(f"{existing} contacts are too few for {rows} rows, or the shares are more than the whole.")
    return Counts(rows, existing, matched, new, bad, bad_there, duplicates, keys, homes)


def _draw(counts: Counts, shares: Shares, seed: int) -> tuple[pl.DataFrame, pl.Series, pl.Series]:
    """The rows in file order (kind, person, other, first), who is missing from them, and who is inactive already.

    `first` is the place of the earlier row of which a row is a duplicate, `other` the person whose account number it
    has. A duplicate comes anywhere after the row that it repeats.
    """
    single = counts.existing - 2 * counts.two_homes
    there = pl.int_range(single, dtype=pl.Int64, eager=True).shuffle(seed)
    matched, keys, bad_there, rest = _split(there, counts.matched, counts.two_keys, counts.bad_there)
    with_account = rest.to_frame("p").select(has_account(pl.col("p"))).to_series()
    others = rest.filter(with_account).head(counts.two_keys)
    rest = rest.filter(~rest.is_in(others.implode()))
    missing, at_rest = _split(rest, min(rest.len() // 8, round(counts.rows * shares.missing)))
    new = pl.int_range(counts.existing, counts.existing + counts.new, dtype=pl.Int64, eager=True)
    after = counts.existing + counts.new
    bad_new = pl.int_range(after, after + counts.bad - bad_there.len(), dtype=pl.Int64, eager=True)
    homes = pl.int_range(single, counts.existing, 2, dtype=pl.Int64, eager=True)
    kinds = {
        "matched": matched,
        "new": new,
        "bad": pl.concat([bad_there, bad_new]),
        "two_keys": keys,
        "two_homes": homes,
    }
    rows = pl.concat(
        pl.DataFrame({"person": person}, schema={"person": pl.Int64}).select(kind=pl.lit(kind, _KIND), person="person")
        for kind, person in kinds.items()
    )
    place_of_keys = counts.matched + counts.new + counts.bad
    other = pl.Series([None], dtype=pl.Int64).new_from_index(0, rows.height)
    other = other.scatter(pl.int_range(place_of_keys, place_of_keys + others.len(), eager=True), others)
    rows = rows.with_columns(other=other).sample(fraction=1, shuffle=True, seed=seed + 1).with_row_index("place")
    return _with_duplicates(rows, counts, seed), missing + 1, at_rest + 1


_KIND: Final = pl.Enum(["matched", "new", "bad", "two_keys", "two_homes"])


def _split(values: pl.Series, *counts: int) -> list[pl.Series]:
    parts, start = [], 0
    for count in counts:
        parts.append(values.slice(start, count))
        start += count
    return [*parts, values.slice(start)]


def _with_duplicates(rows: pl.DataFrame, counts: Counts, seed: int) -> pl.DataFrame:
    good = rows.filter(pl.col("kind").is_in(["matched", "new"])).sample(counts.duplicates, seed=seed + 2)
    place = pl.col("place").cast(pl.Float64)
    later = place + (counts.rows - place) * (0.0005 + 0.999 * chance(pl.col("person"), 50))
    both = pl.concat(
        [
            rows.with_columns(order=place, of=pl.lit(None, pl.UInt32)),
            good.with_columns(order=later, of=pl.col("place")),
        ]
    ).sort("order", maintain_order=True)
    both = both.drop("order").with_row_index("now")
    now = both.filter(pl.col("of").is_null()).select("now", "place").sort("place")["now"]
    first = both.select(pl.when(pl.col("of").is_not_null()).then(pl.lit(now).gather(pl.col("of"))).alias("first"))
    return both.select("kind", "person", "other", first=first["first"])


def _write_existing(out: Path, counts: Counts, at_rest: pl.Series) -> None:
    active = pl.Series([True]).new_from_index(0, counts.existing).scatter(at_rest - 1, False)
    for start in range(0, counts.existing, _SLICE):
        end = min(start + _SLICE, counts.existing)
        person = pl.int_range(start, end, dtype=pl.Int64)
        fields = (value.alias(field) for field, value in _stored(person, counts).items())
        contacts = pl.select((person + 1).alias("contact_id"), *fields)
        contacts.insert_column(1, active.slice(start, end - start).alias("active"))
        contacts.write_parquet(out / "existing" / f"{start // _SLICE:05d}.parquet")


def _stored(person: pl.Expr, counts: Counts) -> dict[str, pl.Expr]:
    """The people as they stand; of the last ones, two and two have the same name and telephone number."""
    first = counts.existing - 2 * counts.two_homes
    in_pairs = (person >= first) & (person < counts.existing)
    return people(person, pl.when(in_pairs).then(person - (person - first) % 2))


def _slices(
    drawn: pl.DataFrame, counts: Counts, shares: Shares
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]]:
    """The file, the answers and the sampled values, some rows at a time."""
    for start in range(0, drawn.height, _SLICE):
        rows = drawn.slice(start, _SLICE).with_row_index("row_number", offset=start + 2)
        rows = rows.with_columns(pl.col("row_number").cast(pl.UInt32), pl.col("first") + 2)
        rows = rows.with_columns(**{f"stored_{f}": value for f, value in _stored(pl.col("person"), counts).items()})
        rows = rows.with_columns(**_meant(shares)).with_columns(**_given())
        rows = rows.with_columns(defects=pl.when(pl.col("kind") == "bad").then(_defect_of()))
        answer = rows.select(**_answers())
        values = rows.with_columns(answer["outcome"]).filter(
            pl.col("outcome").is_in(["created", "updated"]) & (pl.col("row_number") % _SAMPLE == 0)
        )
        after = {f: pl.coalesce(f, pl.when(pl.col("kind") == "matched").then(f"stored_{f}")) for f in FIELDS}
        yield rows.select(**_with_defects(_written())), answer, values.select("row_number", **after)


def _meant(shares: Shares) -> dict[str, pl.Expr]:
    """How a row finds its contact, and what it changes there."""
    person, matched = pl.col("person"), pl.col("kind") == "matched"
    drawn = chance(person, 20)
    by_account = matched & (drawn < 0.08) & pl.col("stored_account_number").is_not_null()
    by_name = matched & (drawn > 0.93) & pl.col("stored_phone").is_not_null()
    by_email = matched & ~by_account & ~by_name
    news = matched & (chance(person, 21) < shares.changed)
    drawn_for = {"zip_code": 0.3, "remark": 0.3, "segment": 0.2, "date_of_birth": 0.1, "ssn": 0.0}
    chances = {field: chance(person, 22 + place) for place, field in enumerate(drawn_for)}
    lowest = pl.min_horizontal(*chances.values())  # so that every one of them brings something
    return {
        "by_account": by_account,
        "by_name": by_name,
        "by_email": by_email,
        **{f"new_{f}": news & ((chances[f] < share) | (chances[f] == lowest)) for f, share in drawn_for.items()},
        "new_phone": news & by_email & (chance(person, 27) < 0.25),
        "new_last_name": news & by_email & (chance(person, 28) < 0.1),
        "new_email": news & by_account,
        "recased": by_email & (chance(person, 29) < 0.03),
    }


def _given() -> dict[str, pl.Expr]:
    """What a row says, in canonical form; null where it says nothing."""
    person, matched = pl.col("person"), pl.col("kind") == "matched"
    is_again = pl.col("first").is_not_null()
    stored = {field: pl.col(f"stored_{field}") for field in FIELDS}
    values = stored | {
        "zip_code": _zip_code((stored["zip_code"].fill_null("10000").cast(pl.Int64) + 1) % 99_000 + 501),
        "remark": pl.format("Called again, see #{}", person),
        "segment": stored["segment"].replace_strict(SEGMENTS, [*SEGMENTS[1:], SEGMENTS[0]]),
        "date_of_birth": stored["date_of_birth"].str.to_date().dt.offset_by("1d").dt.strftime("%Y-%m-%d"),
        "ssn": pl.lit("877-65-4329"),
        "phone": other_phone(person),
        "last_name": one_of(NEW_LAST_NAMES, choice(person, 30, len(NEW_LAST_NAMES))),
        "email": "new." + stored["email"],
    }  # fmt: skip
    given = {
        f: pl.when(f"new_{f}").then(values[f]).otherwise(stored[f]) if f"new_{f}" in _CHANGED else stored[f]
        for f in FIELDS
    }
    for place, field in enumerate(("zip_code", "remark", "segment", "date_of_birth", "phone")):
        blank = matched & ~pl.col(f"new_{field}") & ~pl.col("by_name") & (chance(person, 31 + place) < 0.1)
        given[field] = pl.when(~blank).then(given[field])
    has_no_email = pl.col("by_name") | (pl.col("kind") == "two_homes") | (pl.col("by_account") & ~pl.col("new_email"))
    no_account = (chance(person, 36) < 0.1) & pl.col("by_email")
    by_account_now = is_again & pl.col("by_email") & ~no_account & stored["account_number"].is_not_null()
    has_no_email = has_no_email | (by_account_now & (chance(person, 37) < 0.25))
    recased = stored["email"].str.replace("person", "Person", literal=True)
    given["email"] = pl.when(~has_no_email).then(pl.when("recased").then(recased).otherwise(given["email"]))
    other = people(pl.col("other"))["account_number"]
    given["account_number"] = (
        pl.when(pl.col("kind") == "two_keys").then(other)
        .when(pl.col("by_name") | (pl.col("kind") == "two_homes") | no_account).then(None)
        .otherwise(stored["account_number"])
    )  # fmt: skip
    return given


_CHANGED: Final = tuple(
    f"new_{f}" for f in ("zip_code", "remark", "segment", "date_of_birth", "ssn", "phone", "last_name", "email")
)


def _defect_of() -> pl.Expr:
    """Which of the defects a bad row has: never so many that nobody could say whom it is for."""
    has_account = pl.col("stored_account_number").is_not_null()
    any_of_them = choice(pl.col("person"), 38, len(_DEFECTS))
    return pl.when(has_account).then(any_of_them).otherwise(any_of_them % _WITHOUT_EMAIL)


def _answers() -> dict[str, pl.Expr]:
    differs = {
        f: (pl.col(f) != pl.col(f"stored_{f}")) | (pl.col(f).is_not_null() & pl.col(f"stored_{f}").is_null())
        for f in FIELDS
    }
    changed = pl.concat_str(
        [pl.when(differs[f].fill_null(False)).then(pl.lit(f)) for f in sorted(FIELDS)], separator=",", ignore_nulls=True
    )
    errors = [",".join(sorted(f"{field}:{code}" for field, _, code in defect)) for defect in _DEFECTS]
    kind, is_again = pl.col("kind"), pl.col("first").is_not_null()
    outcome = (
        pl.when(is_again).then(pl.lit("duplicate"))
        .when(kind == "bad").then(pl.lit("rejected"))
        .when(kind.is_in(["two_keys", "two_homes"])).then(pl.lit("review"))
        .when(kind == "new").then(pl.lit("created"))
        .when(changed == "").then(pl.lit("unchanged"))
        .otherwise(pl.lit("updated"))
    )  # fmt: skip
    return {
        "row_number": pl.col("row_number"),
        "outcome": outcome,
        "contact_id": pl.when(outcome.is_in(["updated", "unchanged"])).then(pl.col("person") + 1),
        "duplicate_of_row": pl.col("first"),
        "changed": pl.when(outcome == "updated").then(changed),
        "errors": one_of(errors, pl.col("defects")),
    }


def _written() -> dict[str, pl.Expr]:
    """The values as people type them."""
    drawn = [choice(pl.col("row_number"), 60 + place, 20) for place in range(9)]
    zip_code, ssn, segment = pl.col("zip_code"), pl.col("ssn"), pl.col("segment")
    return {
        "first_name": _typed(pl.col("first_name"), drawn[0]),
        "last_name": _typed(pl.col("last_name"), drawn[1]),
        "email": _typed_email(drawn[2]),
        "phone": _dialled(drawn[3]),
        "account_number": pl.when(drawn[4] == 0).then(pl.col("account_number") + " ").otherwise("account_number"),
        "date_of_birth": _dated(drawn[5]),
        "zip_code": pl.when(drawn[6] < 2).then(zip_code + " ").otherwise(zip_code),
        "ssn": pl.when(drawn[7] < 10).then(ssn.str.replace_all("-", "", literal=True)).otherwise(ssn),
        "segment": pl.when(drawn[8] < 3).then(segment.str.to_uppercase())
        .when(drawn[8] < 6).then(segment + " ").otherwise(segment),
        "remark": pl.col("remark").str.replace(", then hung", ", then\nhung", literal=True),
    }  # fmt: skip


def _typed_email(drawn: pl.Expr) -> pl.Expr:
    email = pl.col("email")
    shouted = email.str.extract("^(.+@)") + email.str.extract("@(.+)$").str.to_uppercase()
    return pl.when(drawn < 3).then(shouted).when(drawn == 3).then(pl.format("  {} ", email)).otherwise(email)


def _dialled(drawn: pl.Expr) -> pl.Expr:
    """A number of the US in one of eight notations, one of the United Kingdom in one of three."""
    number = pl.col("phone")
    area, exchange, line = (number.str.slice(start, length) for start, length in ((2, 3), (5, 3), (8, 4)))
    abroad = number.str.slice(3)
    spaced = pl.format("+44 {} {} {}", abroad.str.slice(0, 3), abroad.str.slice(3, 3), abroad.str.slice(6))
    foreign = (
        pl.when(drawn < 8).then(spaced)
        .when(drawn < 11).then(pl.format("011 44 {}", abroad))
        .otherwise(number)
    )  # fmt: skip
    return (
        pl.when(number.str.starts_with("+44")).then(foreign)
        .when(drawn < 5).then(pl.format("+1 ({}) {}-{}", area, exchange, line))
        .when(drawn < 9).then(pl.format("({}) {}-{}", area, exchange, line))
        .when(drawn < 13).then(pl.format("{}-{}-{}", area, exchange, line))
        .when(drawn < 15).then(pl.format("{}.{}.{}", area, exchange, line))
        .when(drawn < 17).then(number.str.slice(2))
        .when(drawn == 17).then(pl.format("1-{}-{}-{}", area, exchange, line))
        .otherwise(number)
    )  # fmt: skip


def _dated(drawn: pl.Expr) -> pl.Expr:
    day = pl.col("date_of_birth").str.to_date()
    return (
        pl.when(drawn < 12).then("date_of_birth")
        .when(drawn < 17).then(day.dt.strftime("%m/%d/%Y"))
        .when(drawn < 19).then(day.dt.strftime("%d %b %Y"))
        .otherwise(day.dt.strftime("%Y%m%d"))
    )  # fmt: skip


def _zip_code(number: pl.Expr) -> pl.Expr:
    return number.cast(pl.String).str.zfill(5)


def _typed(name: pl.Expr, drawn: pl.Expr) -> pl.Expr:
    """A name, sometimes in capitals where nothing is lost by that, or with spaces around it."""
    plain = name.str.contains("^[A-Z][a-z]+$")
    return (
        pl.when(plain & (drawn < 2)).then(name.str.to_uppercase())
        .when(drawn == 2).then(pl.format("  {} ", name))
        .otherwise(name)
    )  # fmt: skip


def _with_defects(written: Mapping[str, pl.Expr]) -> dict[str, pl.Expr]:
    wrong = {
        f: [next((value for field, value, _ in defect if field == f), None) for defect in _DEFECTS] for f in FIELDS
    }
    return {
        f: pl.coalesce(one_of(values, pl.col("defects")), written[f]) if any(values) else written[f]
        for f, values in wrong.items()
    }


def _write_home(out: Path) -> None:
    """The contacts as a home, by the store's own schema; the profile among the user's own.

    Their order is that in which applying leaves them: else DuckDB tidies the table up at the next write, once, on the
    clock of what is measured.
    """
    home = out / "home"
    (home / "profiles").mkdir(parents=True)
    shutil.copy(PROFILE, home / "profiles")
    with Store(Settings(home=home)).change() as contacts:
        add_contact_fields(contacts, {"segment": "text", "remark": "text"}, frozenset())
        contacts.run(f"""
            INSERT INTO contacts BY NAME
            SELECT *, {literal(ADDRESS_BOOK)} AS address_book, 1 AS revision, 0 AS created_commit, 0 AS last_commit
            FROM read_parquet({literal(out / "existing" / "*.parquet")}) ORDER BY contact_id""")
        contacts.run("UPDATE counters SET next = (SELECT max(contact_id) + 1 FROM contacts) WHERE name = 'contact'")


if __name__ == "__main__":
    main()
