"""The catalogue of rejection codes, of every stage: what each means, how it is worded and what to do.

Messages and fixes may use {column} (the heading in the file), {value} (masked where sensitive), {expected} (what would
be right) and {row} (the number of another row).
"""

from __future__ import annotations

from typing import Final

from contact_pipeline.errors import Code

CODES: Final[dict[str, Code]] = {
    "required": Code(
        meaning="A cell that must be filled is blank.",
        message="{column} is blank.",
        fix="Fill in {column}.",
        example="a row without an e-mail address where the profile needs one",
    ),
    "needs-one-of": Code(
        meaning="The row lacks every set of values of which the profile needs one.",
        message="The row lacks {expected}.",
        fix="Give {expected}.",
        example="a row with a first name only",
    ),
    "required-together": Code(
        meaning="Of several cells that belong together some are filled and some are blank.",
        message="The row fills only a part of {expected}.",
        fix="Fill in all of {expected}, or none.",
        example="a street without a city, where the profile wants both or neither",
    ),
    "required-when": Code(
        meaning="A cell is blank that must be filled because of what another one holds.",
        message="{column} is blank, but is needed where {expected}.",
        fix="Fill in {column}.",
        example="a doctor without qualifications, where the profile asks for them",
    ),
    "end-before-start": Code(
        meaning="The later of two dates lies before the earlier one.",
        message="{column} '{value}' is before {expected}.",
        fix="Correct one of the two dates.",
        example="a contract that ends in 2024 and begins in 2025",
    ),
    "not-unique": Code(
        meaning="The row holds a value that is unique in the file and that an earlier row holds.",
        message="{column} '{value}' stands in row {row} already.",
        fix="Correct {column} in one of the two rows.",
        example="two rows with the same identifier, where the profile says that it is unique",
    ),
    "differs-from": Code(
        meaning="Two cells that must hold the same value differ.",
        message="{column} '{value}' is not the same as {expected}.",
        fix="Repeat {expected} in {column}.",
        example="an identifier that is not the row's account number",
    ),
    "email-syntax": Code(
        meaning="The text is not an e-mail address (RFC 5321, as people use it).",
        message="{column} '{value}' is not an e-mail address.",
        fix="Write one address, such as name@example.com.",
        example="jordan.avery@",
    ),
    "email-domain-typo": Code(
        meaning="The domain of the address is a usual slip for a well-known one; the address is taken as it stands.",
        message="{column} '{value}' may be mistyped.",
        fix="Was {expected} meant? Correct it in the source if so.",
        example="jordan.avery@gamil.com",
        severity="warning",
    ),
    "email-several": Code(
        meaning="The row holds several addresses: the first is taken, the others go to the notes.",
        message="Beside {column}, the row holds further addresses: {value}.",
        fix="Nothing needs to be done; the others are in the notes.",
        example="jordan.avery@example.com; j.avery@example.org",
        severity="warning",
    ),
    "several-values": Code(
        meaning="The row holds several values for one field, in one cell or in several columns: the first is taken, "
        "the others go to the notes.",
        message="Beside {column}, the row holds {value}.",
        fix="Nothing needs to be done; the others are in the notes.",
        example="(202) 555-0143 / (202) 555-0199",
        severity="warning",
    ),
    "name-whole": Code(
        meaning="The name begins with a word that may be a title or a first name, or may be that of a couple, a family "
        "or a company; it is not taken apart.",
        message="{column} '{value}' may begin with a title or name more than one person; it is kept whole.",
        fix="Give first and last name in columns of their own.",
        example="Judge Reinhold, Mr & Mrs Smith",
        severity="warning",
    ),
    "placeholder": Code(
        meaning="The value is in form, but one that people write where they have none; it is taken, and nobody is "
        "recognized by it.",
        message="{column} '{value}' identifies nobody; nothing is matched by it.",
        fix="Give the person's own, or leave {column} blank.",
        example="123-45-6789, noreply@example.com",
        severity="warning",
    ),
    "placeholder-rejected": Code(
        meaning="The value is one that people write where they have none, and the profile takes no such value.",
        message="{column} '{value}' identifies nobody.",
        fix="Give the person's own, or leave {column} blank.",
        example="123-45-6789, where the profile says `placeholders: reject`",
    ),
    "phone-invalid": Code(
        meaning="The text is not a telephone number that any numbering plan has (libphonenumber).",
        message="{column} '{value}' is not a valid telephone number.",
        fix="Write the whole number, with the country code if it is from abroad, such as +1 202 555 0143.",
        example="12345",
    ),
    "phone-words": Code(
        meaning="Beside a telephone number stand words that are no label of it (home, work, mobile …) and may say that "
        "nobody is to call it, that it is wrong or a fax; nothing of it is taken.",
        message="{column} '{value}' holds more than a telephone number; what the words say would be lost.",
        fix="Write the number alone, and what the words say into a column for it, such as do_not_contact.",
        example="do not call 202-555-0143",
    ),
    "phone-no-region": Code(
        meaning="A national telephone number stands where no region is known in which to read it.",
        message="{column} '{value}' does not say its country.",
        fix="Write the number with its country code, such as +44 20 7946 0123.",
        example="020 7946 0123",
    ),
    "date-format": Code(
        meaning="The text is not a day, or is written in a format that the column does not declare.",
        message="{column} '{value}' is not a date that can be read.",
        fix="Write the day as {expected}.",
        example="02/30/1985",
    ),
    "date-ambiguous": Code(
        meaning="The declared formats read the text as different days, and the rest of the column does not decide.",
        message="{column} '{value}' can be read as more than one day: {expected}.",
        fix="Write the day as YYYY-MM-DD, or say the column's format with --date-format.",
        example="03/04/1984, where both MM/DD/YYYY and DD/MM/YYYY are declared",
    ),
    "date-future": Code(
        meaning="A birth date lies in the future.",
        message="{column} '{value}' is in the future.",
        fix="Correct {column}.",
        example="2190-01-01",
    ),
    "date-before-1900": Code(
        meaning="A birth date lies before 1900.",
        message="{column} '{value}' is before 1900.",
        fix="Correct {column}; write the year with four digits.",
        example="1066-10-14",
    ),
    "moment-format": Code(
        meaning="The text is not a day with a time of day, or its day is in a format that the column does not declare.",
        message="{column} '{value}' is not a moment that can be read.",
        fix="Write the moment as {expected}.",
        example="2023-03-26 24:00",
    ),
    "moment-year": Code(
        meaning="A moment lies in a year in which nothing was recorded; programs write such where they know none.",
        message="{column} '{value}' is not in the years {expected}.",
        fix="Correct {column}, or leave the cell blank.",
        example="0001-01-01T00:00:00",
    ),
    "moment-zone": Code(
        meaning="A time zone stands beside the moment by a name, which means different zones in different countries.",
        message="{column} '{value}' names a time zone, which is not read.",
        fix="Write the offset from UTC in its place, such as -05:00.",
        example="2023-03-26 11:12 EST",
    ),
    "moment-skipped": Code(
        meaning="The clocks of the column's time zone never showed this time: they were put forward past it.",
        message="{column} '{value}' is a time that was skipped when the clocks of {expected} were put forward.",
        fix="Correct {column}, or write the offset from UTC behind it, such as +01:00.",
        example="2023-03-26 02:30, where the zone is Europe/Berlin",
    ),
    "moment-repeated": Code(
        meaning="The clocks of the column's time zone showed this time twice, because they were put back.",
        message="{column} '{value}' came twice when clocks were put back: {expected}.",
        fix="Write the offset from UTC behind the moment.",
        example="2023-10-29 02:30, where the zone is Europe/Berlin",
    ),
    "ssn-format": Code(
        meaning="The text is not a US social security number of nine digits.",
        message="{column} '{value}' is not a social security number.",
        fix="Write nine digits as 123-45-6789.",
        example="123-45-678",
    ),
    "ssn-never-issued": Code(
        meaning="The Social Security Administration issues no such number: area 000, 666 or 900 to 999, group 00, "
        "or serial 0000.",
        message="{column} '{value}' is a number that is never issued.",
        fix="Correct {column}, or leave it blank.",
        example="000-12-3456",
    ),
    "zip-code-format": Code(
        meaning="The text is not a postal code of the row's country: in the US a ZIP code of five digits, or of "
        "five and four.",
        message="{column} '{value}' is not a postal code.",
        fix="Write {expected}.",
        example="123456",
    ),
    "zip-code-no-country": Code(
        meaning="The country of the row is not understood, so that nobody can say how its postal codes are written.",
        message="{column} '{value}' cannot be read, because the country of the row is not understood.",
        fix="Correct the country of the row.",
        example="1010, where the country is Atlantis",
    ),
    "country-unknown": Code(
        meaning="The text is neither the code nor a name of a country, or a name of several.",
        message="{column} '{value}' is not the name of one country.",
        fix="Write the code of two letters, such as US, or the whole name.",
        example="Atlantis",
    ),
    "identifier-format": Code(
        meaning="The text has the shape of no kind of identifier that is accepted here.",
        message="{column} '{value}' is not {expected}.",
        fix="Write {expected}.",
        example="ABC",
    ),
    "cnpj-check-digits": Code(
        meaning="The check digits of a CNPJ are wrong (Receita Federal, numeric and alphanumeric form).",
        message="{column} '{value}' has wrong check digits for a CNPJ.",
        fix="Compare {column} with the company's registration, and correct it.",
        example="11.222.333/0001-80",
    ),
    "cpf-check-digits": Code(
        meaning="The check digits of a CPF are wrong (Receita Federal).",
        message="{column} '{value}' has wrong check digits for a CPF.",
        fix="Compare {column} with the person's registration, and correct it.",
        example="390.533.447-06",
    ),
    "crm-format": Code(
        meaning="The text is not a medical council registration (CRM): a number and a Brazilian state.",
        message="{column} '{value}' is not a medical council registration.",
        fix="Write the number and the state, such as 123456-SP.",
        example="123456-XX",
    ),
    "not-a-choice": Code(
        meaning="The value is not one of those that the profile allows.",
        message="{column} '{value}' is not an allowed value.",
        fix="{expected}",
        example="DOCTR",
    ),
    "not-in-vocabulary": Code(
        meaning="The value is not registered in the vocabulary that the column uses.",
        message="{column}: '{value}' is not registered.",
        fix="{expected}",
        example="Cardiolgy",
    ),
    "unknown-login": Code(
        meaning="No user has this login.",
        message="{column} '{value}' is not a known login.",
        fix="{expected}",
        example="nobody.here",
    ),
    "boolean-format": Code(
        meaning="The text is neither yes nor no.",
        message="{column} '{value}' is neither yes nor no.",
        fix="Write yes or no.",
        example="maybe",
    ),
    "too-long": Code(
        meaning="The text is longer than the column allows.",
        message="{column} '{value}' is longer than {expected}.",
        fix="Shorten {column} to {expected}.",
        example="a company name of 600 characters",
    ),
    "excel-scientific": Code(
        meaning="A spreadsheet has turned a long number into scientific notation and lost its digits.",
        message="{column} '{value}' is what a spreadsheet made of a longer number; its digits are lost.",
        fix="Format the column as text and enter the number again.",
        example="4.479E+11",
    ),
    "excel-error": Code(
        meaning="A cell of a workbook holds an error (#N/A, #REF!, #DIV/0!) instead of a value; in a CSV file such a "
        "text is a text.",
        message="{column} holds the error {value}: its formula has no result.",
        fix="Correct the formula, or paste the column as values and fill in what is missing; then send it again.",
        example="=VLOOKUP(…) that finds nothing",
    ),
    "formula-not-calculated": Code(
        meaning="A cell of a workbook holds a formula without a stored result; its writer does not calculate.",
        message="{column} holds a formula that was never calculated.",
        fix="Open the workbook in Excel and save it, or put values in place of the formulas; then send it again.",
        example='=LOWER(B4)&"@example.com" in a workbook that a program wrote',
    ),
    "row-unreadable": Code(
        meaning="The row could not be split into the columns of the heading.",
        message="The row cannot be split into the columns of the heading: {value}",
        fix="Check the delimiters and the quotation marks of the row.",
        example="a row with more cells than the heading",
    ),
    "duplicate-in-file": Code(
        meaning="An earlier row of the file is for the same contact or account, and the profile rejects the later one.",
        message="The same {expected} as row {row}.",
        fix="Keep one of the two rows.",
        example="two rows with the same account number",
    ),
    "skipped": Code(
        meaning="Somebody decided in review that the row is not to be imported.",
        message="The row was skipped in review.",
        fix="Nothing, unless it was meant to be imported: then decide it again.",
        example="a row that could be either of two contacts, and is neither",
    ),
    "skipped-before": Code(
        meaning="Somebody decided in an earlier upload that a row with these keys is not to be imported.",
        message="The row would be in review, and was skipped there before: {expected}.",
        fix="Nothing, unless it is to be imported: then decide it anew here, before the upload is applied.",
        example="a nightly file that brings a skipped row again",
    ),
    "another-match": Code(
        meaning="The row's keys are those of two contacts; the first rule that found one decided, as the profile says.",
        message="The row's keys are those of two: {expected}.",
        fix="See which one the row means; if it is the other, correct the row and send the file again.",
        example="a row with the e-mail address of one contact, and the name and telephone number of another",
        severity="warning",
    ),
    "erased-person": Code(
        meaning="The row is somebody who was erased from the contacts; what is known of them is a fingerprint alone.",
        message="The row is somebody who was erased.",
        fix="Ask the person; then decide the row: `new` makes the contact again, `skip` leaves it out.",
        example="a file with an e-mail address that belonged to an erased contact",
        severity="warning",
    ),
    "erased": Code(
        meaning="The row held somebody who was erased, and was emptied with the contact.",
        message="The person of this row was erased.",
        fix="Nothing: the row is left out.",
        example="a staged row of somebody who has asked to be forgotten",
    ),
    "account-unknown": Code(
        meaning="The row belongs to an account that is not there.",
        message="{column} '{value}' is not the number of a known account.",
        fix="Import the account first, or correct {column}.",
        example="a contact of an account that was never imported",
    ),
    "consent-kept": Code(
        meaning="The contact asked not to be contacted; a file cannot take that back unless the profile and the upload "
        "both say so.",
        message="{column} says no, but the contact asked not to be contacted: that stays.",
        fix="Ask the contact first; where the profile permits it, import with --clear-do-not-contact.",
        example="a row with do_not_contact 'no' for a contact that has it set",
        severity="warning",
    ),
    "consent-set": Code(
        meaning="The profile leaves known contacts as they are; a wish not to be contacted is written all the same.",
        message="{column} says yes: neither the contact nor one linked with it is to be contacted any more; nothing "
        "else of them is changed.",
        fix="Nothing is to be done.",
        example="a row with do_not_contact 'yes' for a known contact under `matched: ignore`",
        severity="warning",
    ),
    "consent-carried": Code(
        meaning="A contact is made beside one that is the same person and has this wish; the new one has it too.",
        message="A contact that it is linked with asked not to be contacted: neither is this one to be.",
        fix="Ask the contact first.",
        example="a row without a wish of somebody known who has one, under `matched: create`",
        severity="warning",
    ),
    "would-clear-required": Code(
        meaning="Blank cells would leave the contact without what the profile requires.",
        message="The row's blanks would leave the contact without {expected}.",
        fix="Give {expected}, or import with the blank policy 'keep'.",
        example="a row that blanks out both name and e-mail under the blank policy 'overwrite'",
    ),
}
