"""The script that many people write: pandas with apply() for telephone numbers and addresses, SQLAlchemy into SQLite.

It finds contacts by e-mail address alone and drops bad rows without a word. It does not know account numbers or names
with telephone numbers as keys, report errors, keep a history, deactivate, or take anything back.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import phonenumbers
import sqlalchemy as sa
from email_validator import EmailNotValidError, validate_email

from benchmarks import peers

_SEGMENTS = ["customer", "lead", "partner", "vendor"]


def prepare(data: Path, folder: Path) -> None:
    """The contacts."""
    contacts = pd.DataFrame(peers.existing(data).rows(), columns=["contact_id", *peers.FIELDS])
    with engine(folder).begin() as connection:
        contacts.to_sql("contacts", connection, index=False, chunksize=10_000)
        connection.execute(sa.text("CREATE UNIQUE INDEX contact_ids ON contacts (contact_id)"))


def import_file(data: Path, folder: Path) -> None:
    """The file."""
    rows = cleaned(pd.read_csv(data / "incoming.csv", dtype=str, keep_default_na=False))
    with engine(folder).begin() as connection:
        there = pd.read_sql("SELECT * FROM contacts", connection)
        known = rows.merge(there[["contact_id", "email"]].dropna(), on="email", how="left")
        new = known[known["contact_id"].isna()].drop(columns="contact_id")
        found = known[known["contact_id"].notna()].set_index("contact_id")
        before = there.set_index("contact_id").loc[found.index, list(peers.FIELDS)]
        after = found[list(peers.FIELDS)].combine_first(before)[list(peers.FIELDS)]
        differs = (after.fillna("") != before.fillna("")).any(axis=1)
        changed = after[differs].astype(object).where(after[differs].notna(), None).reset_index()
        sets = ", ".join(f"{field} = :{field}" for field in peers.FIELDS)
        if len(changed):
            connection.execute(
                sa.text(f"UPDATE contacts SET {sets} WHERE contact_id = :contact_id"), changed.to_dict("records")
            )
        new.insert(
            0, "contact_id", range(int(there["contact_id"].max()) + 1, int(there["contact_id"].max()) + 1 + len(new))
        )
        new.to_sql("contacts", connection, index=False, if_exists="append", chunksize=10_000)


def cleaned(rows: pd.DataFrame) -> pd.DataFrame:
    """The good rows, the first of each address."""
    for field in peers.FIELDS:
        rows[field] = rows[field].str.strip()
    rows["email"] = rows["email"].str.lower()
    rows["segment"] = rows["segment"].str.lower()
    rows["phone"] = rows["phone"].apply(phone)
    born = pd.to_datetime(rows["date_of_birth"], errors="coerce", format="mixed")
    good = rows["email"].apply(is_address) & (rows["phone"] != "bad") & (rows["last_name"] != "")
    good &= born.notna() | (rows["date_of_birth"] == "")
    good &= rows["zip_code"].str.fullmatch(r"(\d{5})?") & rows["segment"].isin([*_SEGMENTS, ""])
    rows["date_of_birth"] = born.dt.strftime("%Y-%m-%d")
    rows = rows[good].astype(object)
    return rows.where(rows.notna() & (rows != ""), None).drop_duplicates("email")


def phone(text: str) -> str | None:
    """The number in E.164, or 'bad'."""
    if not text:
        return None
    try:
        number = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException:
        return "bad"
    valid = phonenumbers.is_valid_number(number)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if valid else "bad"


def is_address(text: str) -> bool:
    """Whether the text is an e-mail address; rows without one are left out."""
    try:
        validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


def engine(folder: Path) -> sa.Engine:
    """The database."""
    return sa.create_engine(f"sqlite:///{folder / 'contacts.sqlite'}")


def emails(folder: Path) -> list[str]:
    """The addresses that are there."""
    with engine(folder).connect() as connection:
        return [email for (email,) in connection.execute(sa.text("SELECT email FROM contacts"))]


if __name__ == "__main__":
    peers.run(prepare, import_file, emails)
