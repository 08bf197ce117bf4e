"""Makes the pictures of the review page for the README and the guide anew: `python scripts/picture_review.py HOME`.

HOME is one that `make demo` filled. Needs Chromium and its driver.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from contact_pipeline import Pipeline  # noqa: E402
from tests.e2e.browser import started  # noqa: E402

# Picture → the file of the upload that it shows, the part of the page, and the colour scheme.
PICTURES = {
    "review.png": ("program_contacts_2.xlsx", "main", "light"),
    "review-changes.png": ("program_contacts_2_corrected.xlsx", "changes", "light"),
    "review-decide.png": ("outreach_contacts_2.csv", "reviews", "dark"),
}
WIDTH, HEIGHT = 1100, 720


def main() -> None:
    """Writes each picture into docs/images."""
    pipeline = Pipeline(sys.argv[1])
    uploads = {upload.file_name: upload.upload_id for upload in pipeline.uploads()}
    with tempfile.TemporaryDirectory() as folder, started(Path(folder) / "chromium") as browser:
        for name, (file, part, scheme) in PICTURES.items():
            page = pipeline.review(uploads[file], Path(folder) / f"{name}.html").file
            text = page.read_text(encoding="utf-8").replace(str(pipeline.settings.home.absolute()), "data/demo")
            page.write_text(text, encoding="utf-8")
            browser.sized(WIDTH, HEIGHT, scheme)
            browser.open(page.as_uri())
            browser.await_true("return document.documentElement.dataset.ready === 'yes'")
            if part == "changes":
                browser.run("[...document.querySelectorAll('button.facet')]"
                            ".find(each => each.dataset.facetKey === 'kind:update contact').click()")  # fmt: skip
            if part != "main":
                browser.run(f"document.getElementById('{part}').scrollIntoView()")
            browser.await_true("return true")
            (ROOT / "docs" / "images" / name).write_bytes(browser.picture())


if __name__ == "__main__":
    main()
