"""django-import-export into SQLite: a ModelResource found by e-mail address, row by row, or with --bulk.

It validates each model and skips rows that change nothing. It does not read telephone numbers or dates, find contacts
by other keys, keep the stored value where a cell is blank, or keep a history. Rows without an address are skipped. With
`use_bulk` a duplicate within the file would lose its whole batch, so later rows for the same address are skipped there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar

import django
from django.conf import settings

from benchmarks import peers

_FOLDER = Path(sys.argv[3]) if len(sys.argv) > 3 else Path()
settings.configure(
    INSTALLED_APPS=["import_export"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(_FOLDER / "contacts.sqlite")}},
    USE_TZ=True,
)
django.setup()

import tablib  # noqa: E402
from django.core.validators import RegexValidator  # noqa: E402
from django.db import connection, models  # noqa: E402
from import_export import resources  # noqa: E402


class Contact(models.Model):
    """A contact."""

    id = models.BigAutoField(primary_key=True)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100)
    email = models.EmailField(unique=True)
    phone = models.CharField(max_length=40, blank=True)
    account_number = models.CharField(max_length=40, blank=True)
    date_of_birth = models.CharField(max_length=40, blank=True)
    zip_code = models.CharField(max_length=20, blank=True, validators=[RegexValidator(r"^\d{5}\s*$")])
    ssn = models.CharField(max_length=20, blank=True)
    segment = models.CharField(max_length=20, blank=True)
    remark = models.TextField(blank=True)

    class Meta:
        """In no app."""

        app_label = "benchmarks"


class ContactResource(resources.ModelResource):
    """How rows become contacts."""

    seen: ClassVar[set[str]] = set()

    def before_import_row(self, row: dict[str, Any], **_: Any) -> None:
        """Cleans what is quickly cleaned."""
        row["email"] = (row["email"] or "").strip().lower()
        row["segment"] = (row["segment"] or "").strip().lower()

    def skip_row(self, instance: Any, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        """Leaves out rows without an address and, in bulk, those whose address came before."""
        if not row["email"] or row["email"] in self.seen:
            return True
        if self._meta.use_bulk:
            self.seen.add(row["email"])
        return bool(super().skip_row(instance, original, row, import_validation_errors))

    class Meta:
        """The options of the import."""

        model = Contact
        fields = peers.FIELDS
        import_id_fields = ("email",)
        skip_unchanged = True
        report_skipped = True
        clean_model_instances = True
        skip_diff = True
        use_bulk = "--bulk" in sys.argv
        batch_size = 1_000


def prepare(data: Path, _: Path) -> None:
    """The contacts."""
    with connection.schema_editor() as editor:
        editor.create_model(Contact)
    there = peers.existing(data).select(peers.FIELDS).fill_null("")
    Contact.objects.bulk_create([Contact(**row) for row in there.iter_rows(named=True)], batch_size=500)


def import_file(data: Path, _: Path) -> None:
    """The file."""
    table = tablib.Dataset().load((data / "incoming.csv").read_text(encoding="utf-8"), format="csv")
    ContactResource().import_data(table, dry_run=False, raise_errors=False, use_transactions=True)


def emails(_: Path) -> list[str]:
    """The addresses that are there."""
    return list(Contact.objects.values_list("email", flat=True))


if __name__ == "__main__":
    peers.run(prepare, import_file, emails)
