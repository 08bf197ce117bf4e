"""Puts the table library of the pages into contact_pipeline/pages/vendor: `python scripts/vendor_tabulator.py`.

Takes the version that vendored.json names through npm, compares the package and each file with the hashes there, and
writes nothing that differs. For a new version, write its version, integrity and hashes into vendored.json first.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "contact_pipeline" / "pages" / "vendor"


def main() -> int:
    """Fetches the package; the exit status is 1 where a hash differs."""
    wanted = json.loads((VENDOR / "vendored.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        name = f"{wanted['package']}@{wanted['version']}"
        subprocess.run(["npm", "pack", "--silent", "--ignore-scripts", name], cwd=folder, check=True)  # noqa: S607
        (package,) = Path(folder).glob("*.tgz")
        digest = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
        if f"sha512-{digest}" != wanted["integrity"]:
            print(f"{name} is not the package that vendored.json means: its integrity is sha512-{digest}")
            return 1
        with tarfile.open(package) as packed:
            files = {file: packed.extractfile(f"package/{each['from']}") for file, each in wanted["files"].items()}
            contents = {file: found.read() for file, found in files.items() if found is not None}
    for file, each in wanted["files"].items():
        if (digest := hashlib.sha256(contents[file]).hexdigest()) != each["sha256"]:
            print(f"{file} has another hash than vendored.json: {digest}")
            return 1
    for file, content in contents.items():
        (VENDOR / file).write_bytes(content)
    print(f"{name}: {', '.join(contents)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
