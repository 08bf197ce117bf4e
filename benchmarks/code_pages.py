"""Measures which encoding is told for names of many languages, in every code page that can write them.

    python benchmarks/code_pages.py [--rows 3 30] [--files 20] [--case as-written|capitals|small] [--languages de cs …]

Every file holds names drawn by a fixed seed from those of `tests/upload/names_by_language.tsv`, one at
least beyond ASCII.
The table says, for each language and page, how many files were read right, how many were held (the upload is blocked,
right or wrong), and how many were read wrong without a word. Thresholds were fitted to names like these.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contact_pipeline.upload.text.encoding import find_encoding
from contact_pipeline.upload.text.letters import as_compared

NAMES: Final = Path(__file__).parent.parent / "tests" / "upload" / "names_by_language.tsv"
# The pages that people use; whatever cannot write enough names of a language is left out for it.
PAGES: Final = (
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp874"),
    *("iso8859-1", "iso8859-2", "iso8859-4", "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8", "iso8859-9"),
    *("iso8859-11", "iso8859-13", "iso8859-15", "iso8859-16"),
    *("cp437", "cp720", "cp737", "cp775", "cp850", "cp852", "cp857", "cp862", "cp866", "cp869", "cp1125"),
    *("mac-roman", "mac-latin2", "mac-cyrillic", "mac-greek", "mac-turkish", "koi8-r", "koi8-u"),
    *("big5", "cp950", "gbk", "gb18030", "cp932", "euc_jp", "cp949", "euc_kr"),
)
_EAST_ASIAN: Final = frozenset(PAGES[-8:])  # written for these languages alone, whatever other letters they have
_CASES: Final = {"as-written": str, "capitals": str.upper, "small": str.lower}
_ENOUGH: Final = 0.9  # of a language's names beyond ASCII: a page that writes fewer is not used for it
_NEW_LETTERS: Final = str.maketrans("şŞţŢ", "șȘțȚ")  # as ISO 8859-16 has them


@dataclass
class Count:
    """What became of some files."""

    right: int = 0
    held_right: int = 0
    held_wrong: int = 0
    wrong: int = 0

    @property
    def files(self) -> int:
        """How many there were."""
        return self.right + self.held_right + self.held_wrong + self.wrong

    def __add__(self, other: Count) -> Count:
        return Count(
            self.right + other.right,
            self.held_right + other.held_right,
            self.held_wrong + other.held_wrong,
            self.wrong + other.wrong,
        )


def names_by_language() -> dict[str, list[str]]:
    """Language → names in it."""
    lines = NAMES.read_text(encoding="utf-8").splitlines()
    return {language: names.split("; ") for language, names in (line.split("\t") for line in lines)}


def pages_of(language: str) -> list[str]:
    """The pages in which people may write a language, if these have its letters."""
    east_asian = language.split("_")[0] in {"ja", "ko", "zh"}
    return [page for page in PAGES if east_asian or page not in _EAST_ASIAN]


def files(names: Sequence[str], page: str, rows: int, count: int, case: str, seed: str) -> Iterator[str]:
    """Texts of files with names of one language that the page can write; none where it cannot write most of them."""
    written = [_CASES[case](name.translate(_NEW_LETTERS) if page == "iso8859-16" else name) for name in names]
    possible = [name for name in written if _can_write(name, page)]
    beyond = [name for name in possible if not name.isascii()]
    if len(beyond) < _ENOUGH * sum(not name.isascii() for name in written):
        return
    choice = random.Random(seed)
    for _ in range(count):
        lines = [f"{choice.choice(possible)},{choice.choice(possible)},c{n}@example.com" for n in range(rows - 1)]
        lines.append(f"{choice.choice(beyond)},{choice.choice(possible)},last@example.com")
        choice.shuffle(lines)
        yield "\r\n".join(["First name,Last name,Email", *lines, ""])


def count_readings(texts: Iterator[str], page: str, folder: Path) -> Count:
    """What becomes of files with these texts in that page."""
    count, path = Count(), folder / "names.csv"
    for text in texts:
        path.write_bytes(text.encode(page))
        found = find_encoding(path, path.name, None)
        is_right = as_compared(path.read_bytes().decode(found.name)) == as_compared(text)
        count += Count(
            right=is_right and found.doubt is None,
            held_right=is_right and found.doubt is not None,
            held_wrong=not is_right and found.doubt is not None,
            wrong=not is_right and found.doubt is None,
        )
    return count


def measure(
    rows: int, number: int, case: str, languages: Sequence[str] = (), seed: str = ""
) -> dict[tuple[str, str], Count]:
    """Language and page → what became of so many files."""
    counts = {}
    with tempfile.TemporaryDirectory() as folder:
        for language, names in names_by_language().items():
            for page in pages_of(language) if not languages or language in languages else ():
                texts = files(names, page, rows, number, case, f"{language} {page} {rows} {case} {seed}")
                if (count := count_readings(texts, page, Path(folder))).files:
                    counts[language, page] = count
    return counts


def _can_write(name: str, page: str) -> bool:
    try:
        name.encode(page)
    except UnicodeError:
        return False
    return True


def main() -> None:
    """Measures what is asked for, and prints a table for each number of rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[3, 30])
    parser.add_argument("--files", type=int, default=20, help="for each language and page")
    parser.add_argument("--case", choices=_CASES, default="as-written")
    parser.add_argument("--languages", nargs="*", default=[])
    parser.add_argument("--seed", default="", help="other names are drawn by another one")
    parser.add_argument("--short", action="store_true", help="the sums, and what was wrong, only")
    given = parser.parse_args()
    for rows in given.rows:
        counts = measure(rows, given.files, given.case, given.languages, given.seed)
        print(f"\n{rows} rows, {given.case}\n\n| language | page | files | right | held | of it right | wrong |")
        print("|---|---|--:|--:|--:|--:|--:|")
        for (language, page), each in counts.items():
            if each.wrong or not given.short:
                print(_line(language, page, each))
        every = sum(counts.values(), Count())
        print(_line(f"{len({language for language, _ in counts})} languages", f"{len(counts)} pairs", every))


def _line(language: str, page: str, count: Count) -> str:
    held = count.held_right + count.held_wrong
    return f"| {language} | {page} | {count.files} | {count.right} | {held} | {count.held_right} | {count.wrong} |"


if __name__ == "__main__":
    main()
