"""Makes the pictures of the README and the guide anew: `python scripts/pictures.py HOME [NAME …]`.

HOME is one that `make demo` filled; nothing in it is changed. The pages are those of the program in a real Chromium,
and the terminal shows what a command prints there. Needs Chromium and its driver.
"""

from __future__ import annotations

import base64
import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import dagster as dg
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from contact_pipeline import Pipeline  # noqa: E402
from contact_pipeline.settings import Settings  # noqa: E402
from contact_pipeline.web.app import PREFIX  # noqa: E402
from tests.e2e.browser import Browser, started  # noqa: E402
from tests.e2e.test_production import address_of  # noqa: E402
from tests.e2e.test_serve import ending, start  # noqa: E402
from tests.web.serving import served  # noqa: E402

IMAGES = ROOT / "docs" / "images"
# Picture → the file of the upload that it shows, the part of the page, and the colour scheme.
REVIEWS = {
    "review.png": ("program_contacts_2.xlsx", "main", "light"),
    "review-changes.png": ("program_contacts_2_corrected.xlsx", "changes", "light"),
    "review-decide.png": ("outreach_contacts_2.csv", "reviews", "dark"),
}
SERVED = {
    "dashboard.png": ("", "main", "light"),
    "upload-decide.png": ("portfolio_contacts_2.xlsx", "decide", "light"),
}
OF = "program_contacts_2_corrected.xlsx"  # the file whose upload Dagster shows
# Picture → Dagster's page, with {key} for that upload, a text to wait for, a button to press, and what stands on top.
DAGSTER = {
    "dagster-changeset.png": (
        "/assets/matched_changeset?view=partitions&partition={key}",
        "duplicate_rate",
        "",
        "rows",
    ),
    "dagster-plots.png": ("/assets/validated_rows", "error_rate", "Plots", "Metadata"),
    "dagster-waiting.png": ("/assets/awaiting_approval", "What to do", "Table", "Metadata"),
}
# Presses the button, and brings what is to be shown into view.
CHOOSE = """
    for (const each of document.querySelectorAll("button, label"))
        if ("BUTTON" && each.innerText.trim() === "BUTTON") each.click();
    for (const each of document.querySelectorAll("div, td"))
        if (each.innerText.trim() === "FIRST") { each.scrollIntoView(); break; }"""
TERMINAL = "terminal.svg"
COMMAND = ("plan", "data/samples/outreach_contacts_2.csv", "--profile", "outreach_contacts", "--group", "Spring")
WIDTH, HEIGHT, DAGSTER_HEIGHT = 1280, 800, 1000  # pixels
COLUMNS, LINES = 110, 46
SETTLED = 5  # seconds: Dagster's pages draw on after their text is there
LOGIN = "m.keane"  # who types, and looks at the served pages
# Finds the 256 most frequent colours of a picture, and for each pixel the nearest of them.
FEWER_COLOURS = """
    const picture = new Image();
    picture.onload = () => {
        const { width, height } = picture, canvas = new OffscreenCanvas(width, height), drawn = canvas.getContext("2d");
        drawn.drawImage(picture, 0, 0);
        const all = new Uint32Array(drawn.getImageData(0, 0, width, height).data.buffer), counts = new Map();
        all.forEach(each => counts.set(each, (counts.get(each) ?? 0) + 1));
        const parts = each => [each & 255, each >> 8 & 255, each >> 16 & 255];
        const kept = [...counts].sort((one, other) => other[1] - one[1]).slice(0, 256).map(([each]) => parts(each));
        const nearest = new Map([...counts.keys()].map(each => {
            const [red, green, blue] = parts(each);
            const far = kept.map(([r, g, b]) => (r - red) ** 2 + (g - green) ** 2 + (b - blue) ** 2);
            return [each, far.indexOf(Math.min(...far))];
        }));
        const text = bytes => btoa(bytes.map(each => String.fromCharCode(each)).join(""));
        const pixels = Array.from(all, each => nearest.get(each));
        window.found = { width, height, palette: text(kept.flat()), pixels: text(pixels) };
    };
    picture.src = "data:image/png;base64,PICTURE";"""


def main() -> None:
    """Writes each picture into docs/images, or those that are named."""
    home, names = Path(sys.argv[1]).absolute(), set(sys.argv[2:])
    wanted = names or {*REVIEWS, *SERVED, *DAGSTER, TERMINAL}
    if TERMINAL in wanted:
        (IMAGES / TERMINAL).write_text(terminal(), encoding="utf-8")
    if wanted == {TERMINAL}:
        return
    pipeline = Pipeline(home)
    uploads = {upload.file_name: upload.upload_id for upload in pipeline.uploads()}
    os.environ["LOGNAME"] = LOGIN
    with (
        tempfile.TemporaryDirectory() as folder,
        started(Path(folder) / "chromium") as browser,
        served(Settings(home=home, decide_locally=True)) as address,
    ):
        for name, (file, part, scheme) in (REVIEWS | SERVED).items():
            if name not in wanted:
                continue
            if name in REVIEWS:
                page = pipeline.review(uploads[file], Path(folder) / f"{name}.html").file.as_uri()
            else:
                page = f"{address}{PREFIX}/{f'uploads/{uploads[file]}' if file else ''}"
            take(browser, page, part, scheme, home)
            (IMAGES / name).write_bytes(small(browser, browser.picture()))
    if wanted & {*DAGSTER}:
        of_dagster(home, wanted, uploads)


def of_dagster(home: Path, wanted: set[str], uploads: dict[str, str]) -> None:
    """The pictures of Dagster's pages, by `serve` on a copy of the home, once its sensors have reported all uploads."""
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(home, Path(folder) / "home")
        with ending(start(copy), copy) as process, started(Path(folder) / "chromium") as browser:
            address = address_of(process)
            instance = dg.DagsterInstance.from_config(str(copy / "dagster"))
            while uploads[OF] not in instance.get_materialized_partitions(dg.AssetKey("matched_changeset")):
                time.sleep(1)
            for name in wanted & {*DAGSTER}:
                page, text, button, first = DAGSTER[name]
                browser.sized(WIDTH, DAGSTER_HEIGHT)
                browser.open(address + page.format(key=uploads[OF]))
                browser.see(text)
                browser.run(CHOOSE.replace("BUTTON", button).replace("FIRST", first))
                time.sleep(SETTLED)
                (IMAGES / name).write_bytes(small(browser, browser.picture()))


def take(browser: Browser, page: str, part: str, scheme: str, home: Path) -> None:
    """Opens a page at one of its parts; the home is called as that of the demonstration."""
    browser.sized(WIDTH, HEIGHT, scheme)
    browser.open(page)
    browser.await_true("return !document.getElementById('review') || document.documentElement.dataset.ready === 'yes'")
    browser.run(f"document.querySelectorAll('code').forEach(each => {{"
                f"each.textContent = each.textContent.replaceAll('{home}', 'data/demo') }})")  # fmt: skip
    if part == "changes":
        browser.run("[...document.querySelectorAll('button.facet')]"
                    ".find(each => each.dataset.facetKey === 'kind:update contact').click()")  # fmt: skip
    if part != "main":
        browser.run(f"document.getElementById('{part}').scrollIntoView()")
    browser.await_true("return true")


def terminal() -> str:
    """The first lines that a command prints at a terminal, as SVG that asks for no font from elsewhere."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), color_system="truecolor", force_terminal=True)
    typed = " ".join(f'"{word}"' if " " in word else word for word in COMMAND)
    console.print(Text.assemble(("$ ", "bright_black"), (f"contact-pipeline {typed}", "bold")))
    console.print(Text.from_ansi("\n".join(printed().rstrip().split("\n")[:LINES])))
    console.print("…")
    template = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    svg = console.export_svg(title="contact-pipeline", theme=MONOKAI, code_format=template, unique_id="terminal")
    return svg.replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, monospace")


def printed() -> str:
    """What the command prints in a fresh home, on a terminal as wide as the picture."""
    with tempfile.TemporaryDirectory() as folder, _terminal() as (ours, theirs):
        (Path(folder) / "data").mkdir()
        (Path(folder) / "data" / "samples").symlink_to(ROOT / "data" / "samples")
        ours_alone = ("CONTACT_PIPELINE", "COLUMNS", "NO_COLOR")
        given = {name: text for name, text in os.environ.items() if not name.startswith(ours_alone)}
        given |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LOGNAME": LOGIN, "PYTHONPATH": str(ROOT)}
        words = [sys.executable, "-m", "contact_pipeline", *COMMAND]
        with subprocess.Popen(
            words, cwd=folder, env=given, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL
        ) as program:
            os.close(theirs)
            content = b"".join(_read(ours))
        if program.returncode:
            raise SystemExit(f"The command ended with {program.returncode}: {content.decode()}")
    return content.decode().replace("\r\n", "\n")


@contextmanager
def _terminal() -> Iterator[tuple[int, int]]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 60, COLUMNS, 0, 0))
    try:
        yield ours, theirs
    finally:
        os.close(ours)


def _read(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            piece = os.read(terminal, 65_536)
        except OSError:  # the program has ended
            return
        if not piece:
            return
        yield piece


def small(browser: Browser, png: bytes) -> bytes:
    """The picture with its most frequent colours alone, one byte a pixel: a third of the size, looks the same."""
    browser.open("about:blank")
    browser.run(FEWER_COLOURS.replace("PICTURE", base64.b64encode(png).decode()))
    browser.await_true("return window.found !== undefined")
    width, height = browser.run("return [found.width, found.height]")
    palette, pixels = (base64.b64decode(each) for each in browser.run("return [found.palette, found.pixels]"))
    lines = b"".join(b"\0" + pixels[start : start + width] for start in range(0, len(pixels), width))
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in parts
    )


if __name__ == "__main__":
    main()
