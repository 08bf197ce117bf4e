"""The letters of a sheet's columns: A, Z, AA."""

from __future__ import annotations


def column_letter(position: int) -> str:
    """The letter of a sheet's column, from its position from 0: A, Z, AA."""
    letters, number = "", position + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_span(first: int, last: int) -> str:
    """The letter of one column, or a range of them."""
    return column_letter(first) if first == last else f"{column_letter(first)}:{column_letter(last)}"


def column_number(letters: str) -> int:
    """The number of a sheet's column, from 1, from its letters; 0 for none."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number
