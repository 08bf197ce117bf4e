"""Delimited files: every encoding, delimiter, line end and quoting, what stands around a table, and what is wrong."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from contact_pipeline.upload import ReadOptions
from tests.corpus.case import HEADINGS, ROWS, Case

NAMES = {
    "utf-8": "José Ærø 山田",
    "utf-8-sig": "José Ærø 山田",
    "utf-16": "José Жанна 😀",
    "utf-16-le": "José Жанна",
    "utf-16-be": "José Жанна",
    "utf-32": "José 😀",
    "cp1252": "José Müller €",
    "iso-8859-1": "José Müller",
    "iso-8859-15": "José Œuvre €",
    "cp1250": "Łukasz Żółć Wałęsa Śląski",
    "cp1251": "Жанна Иванова Пётр",
    "koi8-r": "Жанна Иванова",
    "cp1253": "Γιώργος Παπαδόπουλος",
    "cp1254": "Şahin Yıldız",
    "cp1255": "שלום כהן",
    "cp1256": "محمد علي",
    "cp1257": "Šarūnas Žemaitis",
    "cp1258": "Nguyên",
    "cp850": "José Müller",
    "cp437": "José",
    "mac-roman": "José Müller",
    "cp932": "山田太郎 ヤマダ",
    "euc-jp": "山田太郎",
    "euc_kr": "김철수 이영희",
    "gb18030": "王小明",
    "big5": "王小明",
    "tis-620": "สมชาย",
}
FOUND = {"utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "iso-8859-1", "cp1250", "cp1251",
         "koi8-r", "cp1253", "cp1255", "cp1256", "cp850", "cp437", "mac-roman", "cp932", "euc_kr",
         "gb18030"}  # fmt: skip
LINE_ENDS = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}


def written(rows: list[list[str]], delimiter: str = ",", line_end: str = "\n", quoting: int = csv.QUOTE_MINIMAL) -> str:
    """The rows as Python writes them."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=quoting).writerows(rows)
    return text.getvalue()


TABLE = written([HEADINGS, *ROWS])


def cases() -> Iterator[Case]:
    """Every delimited file."""
    yield from _encodings()
    yield from _shapes()
    yield from _around()
    yield from _columns()
    yield from _records()
    yield from _refusals()


def _encodings() -> Iterator[Case]:
    for encoding, name in NAMES.items():
        rows = [[name, "Lovelace", "a@example.com", "1"], *ROWS]
        content = written([HEADINGS, *rows]).encode(encoding)
        yield Case(f"declared-{encoding}.csv", content, rows, options=ReadOptions(encoding=encoding))
        if encoding in FOUND:
            yield Case(f"found-{encoding}.csv", content, rows)


def _shapes() -> Iterator[Case]:
    for sign, delimiter in DELIMITERS.items():
        for end, line_end in LINE_ENDS.items():
            for kind, quoting in {"quoted": csv.QUOTE_ALL, "plain": csv.QUOTE_MINIMAL}.items():
                content = written([HEADINGS, *ROWS], delimiter, line_end, quoting)
                yield Case(f"{sign}-{end}-{kind}.csv", content.encode())
        inside = [[f"A{delimiter}B", 'say "hi"', "two\nlines", "x"], *ROWS]
        yield Case(f"{sign}-inside-quotes.csv", written([HEADINGS, *inside], delimiter).encode(), inside)
        content = written([HEADINGS, *ROWS], delimiter)
        yield Case(f"{sign}-declared.csv", content.encode(), options=ReadOptions(delimiter=delimiter))
    for sign in "^~:# ":
        rows = [["Ada", "L", "a@b.co", "1"], ["Grace", "H", "", "2"]]
        content = written([["First", "Last", "Email", "Phone"], *rows], sign).encode()
        yield Case(
            f"declared-sign-{ord(sign)}.csv", content, rows, ["First", "Last", "Email", "Phone"],
            options=ReadOptions(delimiter=sign),
        )  # fmt: skip
    lines = TABLE.splitlines()
    yield Case("mixed-line-ends.csv", f"{lines[0]}\r\n{lines[1]}\n{lines[2]}\r{lines[3]}".encode())
    yield Case("no-final-line-end.csv", TABLE.rstrip("\n").encode())
    yield Case("spaces-around-quotes.csv", TABLE.replace("Ada", ' "Ada" ').encode())
    yield Case("end-of-file-mark.csv", f"{TABLE}\x1a".encode())


def _around() -> Iterator[Case]:
    yield Case("title.csv", f"Contacts of May\n{TABLE}".encode(), first_row=3, says="a row above it is not read")
    yield Case("title-and-blank.csv", f"Contacts of May\n\n{TABLE}".encode(), first_row=4, says="row 3")
    yield Case("title-padded.csv", f"Contacts of May,,,\n,,,\n{TABLE}".encode(), first_row=4, says="row 3")
    yield Case("two-titles.csv", f"Contacts\nConfidential\n{TABLE}".encode(), first_row=4, says="2 rows above")
    yield Case("title-with-comma.csv", f"Contacts, all\n{TABLE}".encode(), first_row=3, says="row 2", known=HEADINGS)
    yield Case("title-quoted.csv", f'"Contacts, all"\n{TABLE}'.encode(), first_row=3, says="row 2")
    yield Case("blank-lines-above.csv", f"\n\n{TABLE}".encode(), first_row=4)
    for name, line in {"sep": "sep=;", "sep-quoted": '"sep=;"', "sep-capital": "SEP=;"}.items():
        yield Case(f"{name}.csv", f"{line}\r\n{TABLE.replace(',', ';')}".encode())
        yield Case(f"{name}-bom.csv", f"{line}\r\n{TABLE.replace(',', ';')}".encode("utf-8-sig"))
    yield Case("sep-utf-16.csv", f"sep=\t\r\n{TABLE.replace(',', chr(9))}".encode("utf-16"))
    yield Case("blank-rows-at-end.csv", f"{TABLE}\n,,,\n\n".encode())
    blank = [ROWS[0], ["", "", "", ""], ROWS[1]]
    yield Case("blank-line-between.csv", written([HEADINGS, ROWS[0], [], ROWS[1]]).encode(), blank)
    yield Case("blank-row-between.csv", written([HEADINGS, *blank]).encode(), blank)
    again = [*ROWS, HEADINGS, *ROWS]
    yield Case("heading-again.csv", written([HEADINGS, *again]).encode(), again)
    yield Case("heading-only.csv", written([HEADINGS]).encode(), [])


def _columns() -> Iterator[Case]:
    padded = TABLE.replace("\n", ",,\n")
    yield Case("trailing-delimiters.csv", padded.encode())
    yield Case("trailing-in-rows-only.csv", padded.replace(",,", "", 1).encode())
    yield Case("trailing-in-heading-only.csv", TABLE.replace("Phone\n", "Phone,,\n").encode())
    yield Case("headings-twice.csv", b"Name,Email,Email\nAda,a@b.co,c@d.co\n", [["Ada", "a@b.co", "c@d.co"]],
               ["Name", "Email", "Email"])  # fmt: skip
    yield Case("heading-empty.csv", b"Name,,Email\nAda,x,a@b.co\n", [["Ada", "x", "a@b.co"]], ["Name", "", "Email"])
    yield Case(
        "heading-last-empty.csv", b"Name,Email,\nAda,a@b.co,x\n", [["Ada", "a@b.co", "x"]], ["Name", "Email", ""]
    )
    yield Case("heading-of-two-lines.csv", b'Name,"E-mail\naddress"\nAda,a@b.co\n', [["Ada", "a@b.co"]],
               ["Name", "E-mail\naddress"])  # fmt: skip
    yield Case("heading-reserved.csv", b"row_number,line_number\n7,8\n", [["7", "8"]], ["row_number", "line_number"])
    yield Case("one-column.csv", b"Email\na@b.co\nc@d.co\n", [["a@b.co"], ["c@d.co"]], ["Email"])
    wide = [f"Column {n}" for n in range(300)]
    yield Case("300-columns.csv", written([wide, wide]).encode(), [wide], wide)


def _records() -> Iterator[Case]:
    yield Case("too-few.csv", f"{TABLE}Mary,Shelley\n".encode(), unreadable=[5])
    yield Case("too-many.csv", f"{TABLE}Mary,Shelley,m@s.co,1,2\n".encode(), unreadable=[5])
    yield Case("text-after-quote.csv", f'{TABLE}"Mary" S,Shelley,m@s.co,1\n'.encode(), unreadable=[5])
    yield Case("ragged-between.csv", written([HEADINGS, ROWS[0], ["x"], *ROWS[1:]]).encode(),
               unreadable=[3])  # fmt: skip
    longer = [["Ada", "a\nb\nc", "", ""], *ROWS]
    yield Case("record-of-three-lines.csv", written([HEADINGS, *longer]).encode(), longer)
    blank_inside = [["Ada", "a\n\n\nb", "", ""], *ROWS]
    yield Case("blank-lines-in-quotes.csv", written([HEADINGS, *blank_inside]).encode(), blank_inside)
    heading_inside = [["Ada", f"x\n{','.join(HEADINGS)}\ny", "", ""], *ROWS]
    yield Case("heading-in-quotes.csv", written([HEADINGS, *heading_inside]).encode(), heading_inside)
    for name, cell in {
        "quotes": '"""', "quote-inside": '5" pipe', "formula": "=1+1", "nul": "a\x00b", "bell": "a\x07b",
        "carriage-return": "a\rb", "word-null": "NULL", "word-nan": "NaN", "zeros": "00501", "spaces": "  a  ",
        "no-break-space": "a\xa0b", "right-to-left": "\u202eabc", "emoji": "👩\u200d🚀", "combining": "e\u0301",
        "scientific": "4.479E+11", "long": "x" * 32_767, "backslash": r"a\,b"[0:2] + "b", "apostrophe": "O'Brien",
        "hash": "#N/A", "at": "@handle", "minus": "-5", "percent": "5 %", "byte-order-mark": "\ufeffx",
        "separator": "a\u2028b\x85c\x0bd\x0ce\x1cf",
    }.items():  # fmt: skip
        rows = [["Ada", cell, "a@b.co", "1"], *ROWS]
        yield Case(f"cell-{name}.csv", written([HEADINGS, *rows], quoting=csv.QUOTE_ALL).encode(), rows)


def _refusals() -> Iterator[Case]:
    def refused(name: str, content: bytes, code: str, says: str = "", **options: str) -> Case:
        return Case(f"refused-{name}.csv", content, refusal=code, says=says, options=ReadOptions(**options))

    yield refused("empty", b"", "file-empty")
    yield refused("blank", b"\n \n,,\n", "file-empty")
    yield refused("mark-only", b"\xef\xbb\xbf", "file-empty")
    yield refused("sep-only", b"sep=;\n", "file-empty")
    yield refused("quote-unclosed", f'{TABLE}"Mary,Shelley\nx,y\n'.encode(), "quote-unclosed", "line 5")
    yield refused("quote-unclosed-heading", b'"Name,Phone\nAda,1\n', "quote-unclosed", "line 1")
    yield refused("two-delimiters", b"a,b;c\n1,2;3\n4,5;6\n", "delimiter", "comma or by semicolon")
    changes = "".join(f"N{n};1\n" for n in range(600)) + "".join(f"N{n},1\n" for n in range(300))
    yield refused("delimiter-changes", f"Name;Phone\n{changes}".encode(), "delimiter", "by semicolon or by comma")
    yield refused("other-delimiter", TABLE.encode(), "delimiter", "It seems to be separated by comma", delimiter=";")
    yield refused("delimiter-of-two", TABLE.encode(), "delimiter", delimiter="ab")
    yield refused("delimiter-letter", TABLE.encode(), "delimiter", delimiter="a")
    yield refused("not-utf-8", TABLE.replace("Ada", "José").encode("cp1252"), "encoding", "line 2", encoding="utf-8")
    yield refused("unknown-encoding", TABLE.encode(), "encoding", encoding="klingon")
    yield refused("pdf", b"%PDF-1.7\n%\xe2\xe3", "file-type", "a PDF document")
    yield refused("picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "file-type", "a picture")
    yield refused("gzip", b"\x1f\x8b\x08\0\0\0\0\0", "file-type", "a compressed file")
    yield refused("broken-zip", b"PK\x03\x04broken", "file-type", "damaged or incomplete")
    yield refused("endless-line", b"Name,Note\nAda," + b"x" * (17 << 20) + b"\n", "file-unreadable", "line 2")
    yield refused("long-cell", b"Name,Note\nAda," + b"x" * 100_001 + b"\n", "limit", "in row 2")
    yield refused("1001-columns", b",".join([b"c%d" % n for n in range(1001)]) + b"\n", "limit", "1,001 columns")
