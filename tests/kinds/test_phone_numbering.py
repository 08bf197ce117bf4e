"""Telephone numbers are judged calling code by calling code."""

import phonenumbers
import polars as pl

from contact_pipeline.kinds import phone_numbering


def judged(numbers):
    """For each number: whether it is beyond doubt valid, and whether it is beyond doubt none."""
    frame = pl.DataFrame({"number": numbers}, schema={"number": pl.String})
    read = frame.select(phone_numbering.is_certain(pl.col("number")), wrong=phone_numbering.is_wrong(pl.col("number")))
    return list(read.iter_rows())


def test_a_number_is_judged_alike_alone_and_among_numbers_of_all_countries():
    examples = [phonenumbers.example_number(region) for region in sorted(phonenumbers.SUPPORTED_REGIONS)]
    numbers = [phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) for number in examples if number]
    numbers += ["+12025550143", "+1202555", "+0", "+999123456", "+", "", "no number"]
    assert [judged([number])[0] for number in numbers] == judged(numbers)


def test_numbers_without_any_calling_code_are_never_certain():
    assert judged(["+0123", "+"]) == [(False, False), (False, False)]
