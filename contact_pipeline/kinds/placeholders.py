"""Placeholders: values that people and programs write where they have none. They are in form, and identify nobody."""

from __future__ import annotations

from typing import Final

# Printed on sample cards (SSA, "Social Security Cards Issued by Woolworth"), or the same digit over and over.
SSNS: Final = ("078-05-1120", "219-09-9999", "123-45-6789", *(f"{d * 3}-{d * 2}-{d * 4}" for d in "123456789"))
PHONE_ENDINGS: Final = tuple(digit * 7 for digit in "0123456789")  # of numbers without their extensions
LONGEST_WITHOUT_EXTENSION: Final = 14  # bytes: `+77777777;ext=1` has one more, and lengths are fast to test
MAILBOXES: Final = (
    "noreply", "no-reply", "no_reply", "no.reply", "donotreply", "do-not-reply", "do_not_reply", "do.not.reply",
    "noemail", "no-email", "no_email", "no.email", "nomail", "no-mail", "no_mail", "no.mail", "test",
)  # fmt: skip

TYPES: Final = frozenset({"ssn", "phone", "email"})
