"""Moments have one form, in UTC where the offset is known; what could be several is never guessed."""

import pytest
from pydantic import ValidationError

US = {"type": "moment", "formats": ["MM/DD/YYYY"]}
BERLIN = {"type": "moment", "zone": "Europe/Berlin"}
READ = [
    # as HubSpot, Mailchimp, Excel, Google, Outlook and Salesforce write it
    ("2023-03-26 11:12", "2023-03-26T11:12:00", False),
    ("2023-03-26 11:12:33", "2023-03-26T11:12:33", False),
    ("2023-03-26T11:12:33", "2023-03-26T11:12:33", False),
    ("3/26/2023 11:12 AM", "2023-03-26T11:12:00", True),
    ("3/26/2023, 11:12\u202fPM", "2023-03-26T23:12:00", True),
    ("2023-03-26T11:12:00.000+0000", "2023-03-26T11:12:00Z", False),
    # the clock of twelve hours
    ("3/26/2023 12:05 a. m.", "2023-03-26T00:05:00", True),
    ("2023-03-26 12:05 p.m.", "2023-03-26T12:05:00", False),
    # offsets
    ("2023-03-26T01:12:00+02:00", "2023-03-25T23:12:00Z", False),
    ("2023-03-26 11:12:33.000 -0530", "2023-03-26T16:42:33Z", False),
    ("2023-03-26T11:12\u221203", "2023-03-26T14:12:00Z", False),
    ("2023-03-26T09:00-10:00", "2023-03-26T19:00:00Z", False),
    ("2023-03-26 11:12 UTC+2", "2023-03-26T09:12:00Z", False),
    ("2023-03-26 11:12 GMT", "2023-03-26T11:12:00Z", False),
    # more or less than a minute
    ("2023-03-26 11:12:33.999", "2023-03-26T11:12:33", True),
    ("2023-03-26", "2023-03-26", False),
    ("3/26/2023", "2023-03-26", True),
    ("2024-02-29T10:00:00", "2024-02-29T10:00:00", False),
    ("2024-02-29", "2024-02-29", False),
    ("0000-00-00 00:00:00", None, True),
]
REFUSED = [
    ("2023-02-29 10:00", "moment-format"),
    ("2023-03-26 24:00", "moment-format"),
    ("2023-02-29T10:00:00Z", "moment-format"),  # in the form that is kept, and no moment
    ("2023-02-29", "moment-format"),
    ("2023-03-26T25:00:00Z", "moment-format"),
    ("2023-03-26T23:59:60Z", "moment-format"),
    ("2023-03-26 23:59:60", "moment-format"),
    ("2023-03-26 13:05 PM", "moment-format"),
    ("2023-03-26 0:05 AM", "moment-format"),
    ("2023-03-26 11:12 午後", "moment-format"),
    ("2023-03-26 11:12+15:00", "moment-format"),
    ("2023-03-26 00:00 00:00", "moment-format"),
    ("26/03/2023 11:12", "moment-format"),
    ("3/26/23 11:12", "moment-format"),
    ("٢٠٢٣-٠٣-٢٦ ١١:١٢", "moment-format"),
    ("11:12", "moment-format"),
    ("1679829120", "moment-format"),
    ("2023-03-26 09:00-10:00", "moment-format"),  # from nine to ten, or the offset of Hawaii
    ("2023-03-26 11:12 Uhr", "moment-format"),
    ("2023-03-26 11:12 EST", "moment-zone"),
    ("2023-03-26T11:12:00[Europe/Berlin]", "moment-zone"),
    ("0001-01-01T00:00:00", "moment-year"),
    ("12/30/1899 0:00", "moment-year"),
    ("9999-12-31 23:59:59Z", "moment-year"),
]


def test_what_programs_write_has_one_form(values_of, repairs_in, codes_of):
    texts, values, listed = map(list, zip(*READ, strict=True))
    assert dict(zip(texts, values_of(texts, **US), strict=True)) == dict(zip(texts, values, strict=True))
    assert dict(zip(texts, repairs_in(texts, **US), strict=True)) == dict(zip(texts, listed, strict=True))
    there = [value for value in values if value]
    assert values_of(there, **US) == there
    assert codes_of(there, **US) == [None] * len(there)


def test_what_is_no_moment_stays_and_is_named(values_of, codes_of):
    texts, codes = map(list, zip(*REFUSED, strict=True))
    assert values_of(texts, **US) == texts
    assert dict(zip(texts, codes_of(texts, **US), strict=True)) == dict(REFUSED)
    assert codes == list(dict(REFUSED).values())


def test_the_zone_of_the_profile_holds_where_the_file_says_none(values_of, repairs_in, codes_of):
    texts = ["2023-03-26 01:59", "2023-03-26 03:00", "2023-07-01T12:00:00", "2023-07-01T12:00:00Z", "2023-07-01"]
    values = ["2023-03-26T00:59:00Z", "2023-03-26T01:00:00Z", "2023-07-01T10:00:00Z", "2023-07-01T12:00:00Z", texts[4]]
    assert values_of(texts, **BERLIN) == values
    assert repairs_in(texts, **BERLIN) == [True, True, True, False, False]
    assert codes_of(values, **BERLIN) == [None] * 5


def test_a_time_that_a_zone_skipped_or_had_twice_is_never_guessed(values_of, codes_of):
    """What looks canonical is none here, as its place in UTC is not known; with its offset it is."""
    texts = ["2023-03-26T02:30:00", "2023-10-29T02:30:00", "2023-10-29 02:30", "2023-10-29T02:30:00+01:00"]
    assert values_of(texts, **BERLIN) == [*texts[:3], "2023-10-29T01:30:00Z"]
    assert codes_of(texts[:3], **BERLIN) == ["moment-skipped", "moment-repeated", "moment-repeated"]
    assert values_of(texts[:3], type="moment") == [*texts[:2], "2023-10-29T02:30:00"]


def test_the_day_is_told_by_formats_as_that_of_a_date(values_of, codes_of):
    both = {"type": "moment", "formats": ["MM/DD/YYYY", "DD/MM/YYYY"]}
    texts = ["03/04/2023 11:12", "13/04/2023 11:12", "04/04/2023 9:05"]
    assert values_of(texts, **both) == [texts[0], "2023-04-13T11:12:00", "2023-04-04T09:05:00"]
    assert codes_of(texts[:1], **both) == ["date-ambiguous"]
    assert values_of(["04/17/84 9:05"], type="moment", formats=["MM/DD/YY"], pivot=25) == ["1984-04-17T09:05:00"]


@pytest.mark.parametrize(
    "column", [{"type": "moment", "zone": "Berlin"}, {"type": "moment", "zone": ""}, {"type": "date", "zone": "UTC"}]
)
def test_a_zone_is_a_known_one_of_moments(one_column, column):
    with pytest.raises(ValidationError, match=r"no time zone that is known|zone goes with type moment"):
        one_column(**column)
