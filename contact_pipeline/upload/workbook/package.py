"""Finds the parts of an .xlsx or .xlsb workbook, and copies them to the usual places for a reader that needs that.

Parts are found through the relations (`.rels`, ECMA-376 part 2), whatever their names, slashes and capitals. No entity
is resolved.
"""

from __future__ import annotations

import html
import posixpath
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal
from urllib.parse import unquote

# Errors raised by a damaged archive, or by one with another layout.
DAMAGED: Final = (
    zipfile.BadZipFile,
    zlib.error,
    LookupError,
    ValueError,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
)
_WORKBOOK: Final = "xl/workbook.xml"
_LISTED: Final = "xl/_rels/workbook.xml.rels"
_TYPES: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
# Parts of which a workbook has one. Readers look for them at this place.
_PLACES: Final = {"sharedStrings": "xl/sharedStrings.xml", "styles": "xl/styles.xml"}
_SHEETS: Final = {"worksheet", "chartsheet", "dialogsheet"}
_RELATION: Final = re.compile(r"<(?:\w+:)?Relationship\s[^>]*>")
_ATTRIBUTE: Final = re.compile(r"""([\w:.\-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_BEGINS: Final = re.compile(rb"<(?:\w+:)?workbook[\s>]")
_BINARY_BEGINS: Final = b"\x83\x01"  # BrtBeginBook
_PROPERTIES: Final = re.compile(rb"<(?:\w+:)?workbookPr[\s/>]")
_EXTENSIONS: Final = re.compile(rb"<((?:\w+:)?extLst)[\s>].*?</\1\s*>", re.S)
_ENOUGH: Final = 1 << 16  # bytes of a part in which its root element begins


@dataclass(frozen=True)
class Relation:
    """A relation from one part to another.

    Attributes:
        kind: the last word of the relation's type: worksheet, sharedStrings.
        part: the name of the other part, as the archive has it.
        target: the place of the other part, as the relation has it.
    """

    kind: str
    part: str
    target: str


def find_workbook(archive: zipfile.ZipFile) -> tuple[Literal["xlsx", "xlsb"], str] | None:
    """The kind of a workbook and its main part; None if the archive holds none."""
    for relation in relations_of(archive, "").values():
        if relation.kind == "officeDocument":
            with archive.open(relation.part) as content:
                begins = content.read(_ENOUGH)
            if _BEGINS.search(begins):
                return "xlsx", relation.part
            if begins.startswith(_BINARY_BEGINS):
                return "xlsb", relation.part
    return None


def relations_of(archive: zipfile.ZipFile, part: str) -> dict[str, Relation]:
    """The relations of a part, or of the archive itself (""), by their names; only those to existing parts."""
    there = {_plain(name): name for name in archive.namelist()}
    folder, name = posixpath.split(part.replace("\\", "/"))
    listed = there.get(_plain(f"{folder}/_rels/{name}.rels"))
    found = {}
    for tag in _RELATION.findall(archive.read(listed).decode("utf-8", "replace") if listed else ""):
        given = attributes(tag)
        target = given.get("Target", "")
        to = there.get(_plain(posixpath.join(folder, unquote(target).replace("\\", "/"))))
        if to is not None:
            found[given.get("Id", "")] = Relation(given.get("Type", "").rpartition("/")[2], to, target)
    return found


def part_of(relations: dict[str, Relation], kind: str) -> str | None:
    """The part to which the first relation of that kind leads."""
    return next((relation.part for relation in relations.values() if relation.kind == kind), None)


def attributes(tag: str) -> dict[str, str]:
    """The attributes of a tag, by their names without a name space."""
    return {
        name.rpartition(":")[2]: html.unescape(double or single) for name, double, single in _ATTRIBUTE.findall(tag)
    }


@contextmanager
def in_usual_places(path: Path, folder: Path) -> Iterator[Path]:
    """The .xlsx workbook itself if the reader finds its parts, else a temporary copy in which it does."""
    with TemporaryDirectory(dir=folder) as passing:
        copy = Path(passing) / "workbook.xlsx"
        try:
            with zipfile.ZipFile(path) as archive:
                path = copy if _is_laid_out(archive, copy) else path
        except DAMAGED:
            pass  # the reader judges that
        yield path


def _is_laid_out(archive: zipfile.ZipFile, copy: Path) -> bool:
    """Whether a copy was needed, and made."""
    found = find_workbook(archive)
    if found is None:
        return False
    relations = relations_of(archive, found[1])
    relations = {name: each for name, each in relations.items() if each.kind in _PLACES.keys() | _SHEETS}
    workbook = archive.read(found[1])
    # The reader takes any such element for the workbook's own, even one of an extension, which has no epoch.
    is_doubtful = len(_PROPERTIES.findall(workbook)) > 1
    is_usual = found[1] == _WORKBOOK and _LISTED in archive.namelist() and all(map(_is_found, relations.values()))
    if is_usual and not is_doubtful:
        return False
    places = {
        name: _PLACES.get(each.kind, f"xl/worksheets/sheet{number}.xml")
        for number, (name, each) in enumerate(relations.items(), start=1)
    }
    if is_doubtful:
        workbook = _EXTENSIONS.sub(b"", workbook)
    with zipfile.ZipFile(copy, "w") as written:
        written.writestr("_rels/.rels", _as_list([("workbook", "officeDocument", _WORKBOOK)]))
        written.writestr(_WORKBOOK, workbook)
        written.writestr(_LISTED, _as_list((name, each.kind, places[name]) for name, each in relations.items()))
        for name, relation in relations.items():
            with archive.open(relation.part) as source, written.open(places[name], "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target, 1 << 20)
    return True


def _is_found(relation: Relation) -> bool:
    """Whether the reader finds the part: it joins names as they are written."""
    joined = relation.target.removeprefix("/") if relation.target.startswith("/") else f"xl/{relation.target}"
    return relation.part == _PLACES.get(relation.kind, joined)


def _as_list(relations: Iterable[tuple[str, str, str]]) -> str:
    """A part that lists relations: the name, the kind and the part of each."""
    from xml.sax.saxutils import quoteattr  # imports all of HTTP, which few uploads need

    tags = "".join(
        f"<Relationship Id={quoteattr(name)} Type={quoteattr(f'{_TYPES}/{kind}')} Target={quoteattr(f'/{part}')}/>"
        for name, kind, part in relations
    )
    return f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{tags}</Relationships>'


def _plain(name: str) -> str:
    return posixpath.normpath("/" + name.replace("\\", "/").lstrip("/")).casefold()
