"""Times normalization and validation of made-up rows, side by side with a Polars script written by hand for them.

    python benchmarks/values.py [--rows 1000000] [--slice 250000] [--wrong 0.01]

Prints the seconds (of the clock and of the processor), the peak memory, whether both give the same values and
defects, and how many values went to the slow libraries.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from contact_pipeline.kinds import email_addresses, phone, phone_numbering
from contact_pipeline.normalize import normalize
from contact_pipeline.profiles import Profile
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.validate import validate

TYPES = {
    "first_name": {"type": "name"},
    "last_name": {"type": "name"},
    "email": {"type": "email"},
    "phone": {"type": "phone"},
    "date_of_birth": {"type": "date", "formats": ["%m/%d/%Y"]},
    "ssn": {"type": "ssn"},
    "zip_code": {"type": "zip_code"},
    "account_number": {"type": "text"},
    "company": {"type": "text"},
    "city": {"type": "text"},
}
PROFILE = Profile.model_validate(
    {
        "name": "bench",
        "title": "Bench",
        "address_book": "bench",
        "file": {"types": ["csv"]},
        "headings": "exact",
        "region": "US",
        "columns": [{"field": field, "heading": field, **column} for field, column in TYPES.items()],
        "match": [{"equal": ["email"]}],
        "on_error": "reject",
        "apply": "automatic",
    }
)


def main() -> None:
    """Make the rows, run both ways in turn, and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--slice", type=int, default=250_000)
    parser.add_argument("--wrong", type=float, default=0.01, help="share of phone numbers and addresses that are wrong")
    options = parser.parse_args()
    raw = made_elsewhere(options.rows, options.wrong)
    defects_in(raw.head(1000), 1000)  # patterns are made once
    by_hand(raw.head(1000))
    before = peak()
    told, took = timed("normalize + validate", lambda: defects_in(raw, options.slice))
    print(f"{'peak memory above that of the rows':34} {peak() - before:8.0f} MB")
    (theirs, defects), bound = timed("by hand in Polars", lambda: by_hand(raw))
    print(f"{'share of the time by hand':34} {took[0] / bound[0]:8.2f} ×, {took[1] / bound[1]:6.2f} × of the processor")
    print("differing values:", differing(raw, theirs, options.slice) or "none")
    print(f"defects: {told} and by hand {defects}")
    print(f"distinct phone numbers for phonenumbers: {phone.left_open(raw['phone'], 'US').len()}")
    print(f"distinct addresses for email-validator: {email_addresses.left_open(raw['email']).len()}")


def pipeline(raw: pl.DataFrame, rows: int) -> Iterator[tuple[pl.DataFrame, int]]:
    """The values and the number of defects of each slice, as an upload makes them."""
    fields = {field: field for field in TYPES}
    for start in range(0, raw.height, rows):
        clean, _ = normalize(raw.slice(start, rows), fields, PROFILE, Reference())
        yield clean, validate(clean, PROFILE, Reference(), fields).filter(pl.col("severity") == "error").height


def defects_in(raw: pl.DataFrame, rows: int) -> int:
    """The number of defects; the values of a slice are let go of, as an upload does that has written them."""
    return sum(defects for _, defects in pipeline(raw, rows))


def differing(raw: pl.DataFrame, theirs: pl.DataFrame, rows: int) -> list[str]:
    """The fields in which the two ways give different values."""
    found = set()
    for number, (ours, _) in enumerate(pipeline(raw, rows)):
        those = theirs.slice(number * rows, rows)
        found |= {field for field in TYPES if not ours[field].equals(those[field], null_equal=True)}
    return sorted(found)


def by_hand(raw: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The same for these columns and formats only, as one would write it in an afternoon."""
    text = {field: pl.col(field).str.strip_chars().replace("", None) for field in TYPES}
    rows = raw.select(**text)
    at = pl.col("email").str.splitn("@", 2).struct
    bare = pl.col("phone").str.replace_all(r"call|[ ().\-]", "")
    e164 = (
        pl.when(bare.str.starts_with("+")).then(bare)
        .when(bare.str.starts_with("011")).then("+" + bare.str.slice(3))
        .when(bare.str.len_bytes() == 11).then("+" + bare)
        .otherwise("+1" + bare)
    )  # fmt: skip
    is_phone = phone_numbering.is_certain(e164)
    born = pl.coalesce(pl.col("date_of_birth").str.to_date(f, strict=False) for f in ("%Y-%m-%d", "%m/%d/%Y"))
    ssn = pl.col("ssn").str.replace_all("-", "", literal=True)
    rows = rows.with_columns(
        email=pl.coalesce(at.field("field_0") + "@" + at.field("field_1").str.to_lowercase(), "email"),
        phone=pl.when(is_phone).then(e164).otherwise("phone"),
        date_of_birth=pl.coalesce(born.dt.strftime("%Y-%m-%d"), "date_of_birth"),
        ssn=ssn.str.slice(0, 3) + "-" + ssn.str.slice(3, 2) + "-" + ssn.str.slice(5),
        zip_code=pl.col("zip_code").str.zfill(5),
    )
    wrong = {
        "email": ~pl.col("email").str.contains(r"^[A-Za-z0-9._+-]+@(?:[a-z0-9-]+\.)+[a-z]+$"),
        "phone": ~pl.col("phone").str.contains(r"^\+[0-9]+$"),
        "date_of_birth": ~pl.col("date_of_birth").is_between(pl.lit("1900-01-01"), pl.lit("2100-01-01")),
        "ssn": ~pl.col("ssn").str.contains("^[0-9]{3}-[0-9]{2}-[0-9]{4}$")
        | pl.col("ssn").str.contains("^000|^666|^9|-00-|-0000$"),
        "zip_code": ~pl.col("zip_code").str.contains("^[0-9]{5}(?:-[0-9]{4})?$"),
        **{
            field: pl.col(field).str.len_chars() > 500
            for field in ("first_name", "last_name", "account_number", "company", "city")
        },
    }
    flags = rows.select(**wrong)
    return rows, int(flags.sum().sum_horizontal()[0])


def made_elsewhere(rows: int, wrong: float) -> pl.DataFrame:
    """The rows that `made_up` makes, in another process, so that the memory it takes does not count here."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.parquet"
        maker = multiprocessing.get_context("spawn").Process(target=write_made_up, args=(file, rows, wrong))
        maker.start()
        maker.join()
        return pl.read_parquet(file)


def write_made_up(file: Path, rows: int, wrong: float) -> None:
    """Writes the made-up rows as Parquet."""
    made_up(rows, wrong).write_parquet(file)


def made_up(rows: int, wrong: float) -> pl.DataFrame:
    """Rows of made-up people, their numbers out of the ranges kept free for fiction and in mixed notations."""
    number = pl.int_range(rows, dtype=pl.Int64)
    last = (number * 7919 % 100 + 100).cast(pl.String).str.zfill(4)
    area = pl.lit(pl.Series(["202", "212", "303", "415", "617", "702"])).gather(number % 6)
    notation = number % 7
    digits = pl.format("{}555{}", area, last)
    mixed = (
        pl.when(notation == 0).then(pl.format("({}) 555-{}", area, last))
        .when(notation == 1).then(pl.format("{}-555-{}", area, last))
        .when(notation == 2).then(pl.format("+1 {} 555 {}", area, last))
        .when(notation == 3).then(digits)
        .when(notation == 4).then(pl.format("1-{}-555-{}", area, last))
        .when(notation == 5).then(pl.format("{}.555.{}", area, last))
        .otherwise(pl.format("011 44 20 7946 0{}", last.str.slice(1)))
    )  # fmt: skip
    is_wrong = (number * 104729 % 10_000) < wrong * 10_000
    name = pl.lit(pl.Series(["Rosa", "Ian", "Zoë", "Ana", "Jean-Luc", "O'Neil", "McDonald", "de la Cruz"]))
    day = pl.date(1930, 1, 1) + pl.duration(days=number * 31 % 29_000)
    return pl.select(
        row_number=(number + 2).cast(pl.UInt32),
        line_number=(number + 2).cast(pl.UInt32),
        first_name=name.gather(number % 8),
        last_name=name.gather(number // 8 % 8),
        email=pl.when(is_wrong)
        .then(pl.format("person{}.example.com", number))
        .otherwise(
            pl.format("person{}@{}", number, pl.lit(pl.Series(["example.com", "Example.org"])).gather(number % 2))
        ),
        phone=pl.when(is_wrong)
        .then(pl.format("555-{}", number))
        .when(number % 10_007 == 5)  # of all kinds of spellings that expressions do not know, one
        .then(pl.format("call {}-555-{}", area, last))
        .otherwise(mixed),
        date_of_birth=pl.when(number % 2 == 0).then(day.dt.strftime("%Y-%m-%d")).otherwise(day.dt.strftime("%m/%d/%Y")),
        ssn=pl.format(
            "{}{}{}{}{}",
            (number % 600 + 1).cast(pl.String).str.zfill(3).replace("666", "667"),
            pl.when(number % 2 == 0).then(pl.lit("-")).otherwise(pl.lit("")),
            (number % 99 + 1).cast(pl.String).str.zfill(2),
            pl.when(number % 2 == 0).then(pl.lit("-")).otherwise(pl.lit("")),
            (number % 9999 + 1).cast(pl.String).str.zfill(4),
        ),
        zip_code=(number % 90_000 + 1_000).cast(pl.String),
        account_number=pl.format("AC-{}", number),
        company=pl.lit(pl.Series([" Example Hauling", "Sample  Works", None])).gather(number % 3),
        city=pl.lit(pl.Series(["Salem", "Springfield"])).gather(number % 2),
    ).with_columns(company=pl.col("company").str.replace("  ", " ", literal=True))


def timed(name: str, work: Callable[[], Any]) -> tuple[Any, tuple[float, float]]:
    """What the work gives, and its seconds of the clock and of the processor, which are printed."""
    clock, processor = time.perf_counter(), time.process_time()
    result = work()
    took = time.perf_counter() - clock, time.process_time() - processor
    print(f"{name:34} {took[0]:8.2f} s, {took[1]:6.2f} s of the processor")
    return result, took


def peak() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
