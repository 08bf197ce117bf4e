"""Every personal column of the kept tables is filled with a person's values; after erasing her none is found in any."""

import pytest
import yaml

from contact_pipeline.contracts.kept import KEPT
from contact_pipeline.engines import quoted
from contact_pipeline.terms import ACCOUNT_FIELDS, CANONICAL
from tests.erase.home import DIRECTOR, open_home, write_book, write_csv
from tests.erase.home import found as found_in_files

MAIL = "heather.q@example.com"
TRACES = r"(?i)heather|20255501|219-09-999|1984-04"
TYPES = {
    "email": "email", "phone": "phone", "ssn": "ssn", "date_of_birth": "date", "country": "country",
    "do_not_contact": "boolean", "qualifications": "list", "notes": "list",
}  # fmt: skip
FIRST = {
    "email": MAIL, "phone": "+1 202 555 0187", "ssn": "219-09-9990", "date_of_birth": "1984-04-18", "country": "France",
    "do_not_contact": "no", "account_number": "HEATHER-1", "full_name": "Heather Quennevais",
}  # fmt: skip
THEN = {
    **FIRST, "email": "heather.p@example.com", "phone": "+1 202 555 0188", "ssn": "219-09-9991", "country": "Italy",
    "date_of_birth": "1984-04-19", "do_not_contact": "yes", "full_name": "Heather Q. Quenn",
}  # fmt: skip
PEOPLE = {
    "name": "people", "title": "People", "address_book": "people", "file": {"types": ["csv", "xlsx"]},
    "headings": "mapped", "region": "US", "group": {"members": "all"}, "matched": "update", "on_error": "reject",
    "apply": "approval",
    "columns": [
        {"field": name, "heading": name, "type": TYPES.get(name, "text"), "sensitive": field.sensitive}
        for name, field in CANONICAL.items()
    ],
    "match": [{"equal": ["account_number"]}, {"equal": ["email"]},
              {"equal": ["full_name"], "higher_differs": "review"}],
}  # fmt: skip
ACCOUNTS = {
    "name": "accounts", "title": "Accounts", "address_book": "people", "file": {"types": ["csv"]}, "headings": "all",
    "target": "account", "on_error": "reject", "apply": "approval", "match": [{"equal": ["account_number"]}],
    "columns": [{"field": name, "heading": name} for name in ACCOUNT_FIELDS],
}  # fmt: skip


def rows_of(*people):
    """Rows with a value in every field; what is not given is made of the field's name."""
    return [
        [person.get(name, f"heather {name} {number}") for name in CANONICAL] for number, person in enumerate(people)
    ]


def save_profiles(pipeline):
    for profile in (PEOPLE, ACCOUNTS):
        path = pipeline.settings.home / "profiles" / f"{profile['name']}.yaml"
        path.write_text(yaml.safe_dump(profile, sort_keys=False), encoding="utf-8")


def fill(pipeline, folder):
    """Imports her so that what can be a value of hers stands in every personal column."""
    save_profiles(pipeline)

    def apply(planned, **options):
        upload = pipeline.apply(planned.upload_id, user=DIRECTOR, **options)
        assert (upload.state, upload.outcomes["rejected"]) == ("applied", 0), (upload.reason, upload.rejections)
        return upload

    headings = [f"job of {MAIL}" if name == "job_title" else name for name in CANONICAL]
    first, then, last, unsure = rows_of(
        FIRST,
        THEN | {"email": MAIL, "account_number": "HEATHER-2"},
        THEN | {"account_number": "HEATHER-2"},
        {**THEN, "email": "heather.z@example.com", "account_number": ""},
    )
    book = write_book(
        folder / f"of {MAIL} (May).xlsx", [f"Contacts of {MAIL}"], [*headings, MAIL], [*first, "x"], name=MAIL
    )
    group, mapping = f"Friends of {MAIL}", dict(zip(headings, CANONICAL, strict=True))
    apply(pipeline.plan(book, "people", group=group, sheet=MAIL, map=mapping, save_mapping=True, user=DIRECTOR))
    for number, row in enumerate((then, last), 2):
        file = write_csv(folder / str(number) / f"{MAIL}.csv", [*CANONICAL], row)
        apply(pipeline.plan(file, "people", group=group, user=DIRECTOR))
    file = write_csv(folder / "unsure.csv", [*CANONICAL], unsure)
    reviewed = apply(pipeline.plan(file, "people", group=group, user=DIRECTOR))
    pipeline.resolve(reviewed.upload_id, 2, 1, user=DIRECTOR)
    for number in (1, 2):
        account = {name: f"{name} {number}" for name in ACCOUNT_FIELDS} | {
            "account_number": "1", "account_name": f"Clinic {number} of {MAIL}",
        }  # fmt: skip
        file = write_csv(folder / f"account_{number}.csv", [*account], [*account.values()])
        apply(pipeline.plan(file, "accounts", user=DIRECTOR))
    refused = pipeline.plan(write_csv(folder / "refused.csv", [MAIL], ["x"]), "people", group=group, user=DIRECTOR)
    assert refused.state == "refused"
    fetch_one_of_hers(pipeline, folder)
    told, heading = f"c/o {MAIL}", f"told by {MAIL}"
    file = write_csv(folder / "corrected.csv", ("account_number", heading), ("HEATHER-1", MAIL))
    mapping = {"account_number": "account_number", heading: "company"}
    planned = pipeline.plan(file, "people", group="G", map=mapping, user=DIRECTOR)
    pipeline.correct(planned.upload_id, where=(heading, MAIL), set={heading: told}, user=DIRECTOR, remember=True)


def fetch_one_of_hers(pipeline, folder):
    """Lets a feed break at a file that is named after her."""
    write_csv(folder / "outbox" / f"{MAIL}.csv", ["email"], [MAIL])
    (pipeline.settings.home / "feeds").mkdir(mode=0o700)
    feed = {"source": str(folder / "outbox"), "profile": "people", "options": {"group": "G"}}
    (pipeline.settings.home / "feeds" / "hers.yaml").write_text(yaml.safe_dump(feed))
    limited = pipeline.settings.model_copy(update={"max_file_bytes": 1, "inbox_settle_seconds": 0})
    assert MAIL in str(type(pipeline)(settings=limited).run_feed("hers").problem)


def personal(database):
    """(table, column) of every column that can hold a text that is hers alone, by the catalogue."""
    columns = database.rows("""
        SELECT table_name, column_name, data_type FROM duckdb_columns()
        WHERE NOT internal AND database_name = current_database()""")
    declared = {(table.name, column.name): column.personal for table in KEPT for column in table.columns}
    return {
        (table, name)
        for table, name, kind in columns
        if declared.get((table, name), True) and kind != "BOOLEAN" and not name.endswith("country")
    }


def found(database):
    """(table, column) of every column that holds a trace of her."""
    columns = database.rows("""
        SELECT table_name, column_name FROM duckdb_columns()
        WHERE NOT internal AND database_name = current_database()""")
    return {
        (table, name)
        for table, name in columns
        if database.value(f"""
            SELECT count(*) FROM {quoted(table)} WHERE regexp_matches({quoted(name)}::VARCHAR, '{TRACES}')""")
    }


@pytest.fixture
def pipeline(tmp_path):
    return open_home(tmp_path)


def test_no_value_of_hers_is_found_in_any_column_of_the_kept_tables(pipeline, tmp_path):
    fill(pipeline, tmp_path)
    with pipeline.store.open(read_only=True) as database:
        assert found(database) == personal(database)

    pipeline.erase(1)

    assert found_in_files(pipeline.settings.home, [MAIL, "heather"]) == set()
    with pipeline.store.open(read_only=True) as database:
        assert found(database) == set()
        assert database.rows("SELECT do_not_contact, country FROM contacts") == [(None, None)]
    assert pipeline.verify().findings == []


def test_groups_that_are_called_by_her_become_one_and_keep_the_others(pipeline, tmp_path):
    save_profiles(pipeline)
    uploads = []
    for number, mail in enumerate((MAIL, "heather.p@example.com")):
        bob = ("BOB-1", "bob@example.com", "Bob Oakes")
        heading, her = ("account_number", "email", "full_name"), ("HEATHER-1", mail, "Heather")
        file = write_csv(tmp_path / f"{number}.csv", heading, her, bob)
        planned = pipeline.plan(file, "people", group=f"Asked by {mail}", user=DIRECTOR)
        uploads.append(pipeline.apply(planned.upload_id, user=DIRECTOR))
    assert [group["contacts"] for group in pipeline.store.groups()] == [2, 2]

    erased = pipeline.erase(1)

    assert erased.rows == {upload.upload_id: [2] for upload in uploads}
    assert pipeline.store.groups() == [{"address_book": "people", "group": "Asked by ***", "contacts": 1}]
    assert pipeline.store.contact(2)["groups"] == ["Asked by ***"]
    assert pipeline.verify().findings == []
    pipeline.undo(uploads[1].upload_id, user=DIRECTOR)
    assert pipeline.store.contact(2)["groups"] == ["Asked by ***"]
    assert pipeline.verify().findings == []


def test_a_value_in_any_field_of_another_contact_is_that_ones_and_its_rows_stay(pipeline, tmp_path):
    """It was theirs in their notes alone: from elsewhere their staged rows went, and the contact kept the value."""
    save_profiles(pipeline)
    heading = ("account_number", "email", "full_name", "company", "identifier")
    rows = (
        ("HEATHER-1", MAIL, "Heather", "", "ID-100200"),
        ("BOB-1", "bob@example.com", "Bob", f"c/o {MAIL}", "ID-1002003"),
    )
    planned = [
        pipeline.plan(write_csv(tmp_path / f"{number}.csv", heading, row), "people", group="G", user=DIRECTOR)
        for number, row in enumerate(rows)
    ]
    hers, his = [pipeline.apply(each.upload_id, user=DIRECTOR).upload_id for each in planned]

    erased = pipeline.erase(1)

    assert erased.shared == {"email": [2]}
    assert [*erased.rows] == [hers]
    assert pipeline.show(his).raw_rows["company"].to_list() == [f"c/o {MAIL}"]
    assert pipeline.store.contact(2)["company"] == f"c/o {MAIL}"


def test_a_plan_into_a_group_that_is_called_by_her_is_applied_into_the_group_with_stars(pipeline, tmp_path):
    save_profiles(pipeline)
    heading, group = ("account_number", "email"), f"Asked by {MAIL}"
    planned = [
        pipeline.plan(write_csv(tmp_path / f"{number}.csv", heading, row), "people", group=group, user=DIRECTOR)
        for number, row in enumerate((("HEATHER-1", MAIL), ("BOB-1", "bob@example.com")))
    ]
    pipeline.apply(planned[0].upload_id, user=DIRECTOR)
    pipeline.erase(1)

    upload = pipeline.apply(planned[1].upload_id, user=DIRECTOR)

    assert (upload.state, upload.group) == ("applied", "Asked by ***")
    assert pipeline.store.groups() == [{"address_book": "people", "group": "Asked by ***", "contacts": 1}]
    pipeline.undo(upload.upload_id, user=DIRECTOR)
    pipeline.redo(upload.upload_id, user=DIRECTOR)
    assert pipeline.store.contact(2)["groups"] == ["Asked by ***"]
    assert pipeline.verify().findings == []


def test_headings_that_are_her_data_go_and_the_upload_can_still_be_looked_at(pipeline, tmp_path):
    """Its facts said stars, its rows did not: looking up repairs or a row failed, and the rows' file kept values."""
    save_profiles(pipeline)
    heading = (f"number of {MAIL}", "email", MAIL, "heather.q@example.com more")
    mapping = {heading[0]: "account_number", "email": "email", MAIL: "full_name", heading[3]: "company"}
    rows = (("HEATHER-1", MAIL, "Heather", "x"), ("BOB-1", "bob@example.com", "Bob", "Acme"))
    file = write_csv(tmp_path / "a.csv", heading, *rows)
    planned = pipeline.plan(file, "people", group="G", map=mapping, user=DIRECTOR)
    upload = pipeline.apply(planned.upload_id, user=DIRECTOR)
    assert upload.outcomes["created"] == 2

    pipeline.erase(1)

    assert found_in_files(pipeline.settings.home, [MAIL]) == set()
    upload = pipeline.show(upload.upload_id)
    assert upload.raw_rows.columns == ["row_number", "line_number", "column_1", "email", "column_3", "column_4"]
    assert upload.raw_rows.row(1) == (3, 3, "BOB-1", "bob@example.com", "Bob", "Acme")
    assert pipeline.repairs(upload.upload_id).is_empty()
    assert any("Acme" in said for step in pipeline.explain(upload.upload_id, 3) for said in step.says)
    assert pipeline.verify().findings == []


def test_a_defect_below_a_heading_that_is_her_data_makes_nobody_her(pipeline, tmp_path):
    save_profiles(pipeline)
    phone = f"phone of {MAIL}"
    rows = (("HEATHER-1", MAIL, ""), ("BOB-1", "bob@example.com", "12"))
    file = write_csv(tmp_path / "a.csv", ("account_number", "email", phone), *rows)
    mapping = {"account_number": "account_number", "email": "email", phone: "phone"}
    planned = pipeline.plan(file, "people", group="G", map=mapping, allow_rejected=100, user=DIRECTOR)
    upload = pipeline.apply(planned.upload_id, user=DIRECTOR)
    assert upload.rejections["row_number"].to_list() == [3]

    assert pipeline.erase(1).rows == {upload.upload_id: [2]}

    assert pipeline.show(upload.upload_id).raw_rows["email"].to_list() == [None, "bob@example.com"]
    assert found_in_files(pipeline.settings.home, [MAIL]) == set()


def test_a_column_with_a_heading_of_hers_keeps_its_corrections_and_stays_left_out(pipeline, tmp_path):
    """Both name the raw column, which is called otherwise once she is erased."""
    save_profiles(pipeline)
    hers = write_csv(tmp_path / "hers.csv", ("account_number", "email"), ("HEATHER-1", MAIL))
    pipeline.apply(pipeline.plan(hers, "people", group="G", user=DIRECTOR).upload_id, user=DIRECTOR)
    told, of = f"Told by {MAIL}", f"Of {MAIL}"
    bobs = write_csv(tmp_path / "bobs.csv", ("account_number", told, of), ("BOB-1", "Oakes", "Bob"))
    fields = {"account_number": "account_number", told: "company", of: "full_name"}
    upload_id = pipeline.plan(bobs, "people", group="G", map=fields, user=DIRECTOR).upload_id
    pipeline.correct(upload_id, row=2, set={told: "Oakley"}, user=DIRECTOR)
    pipeline.leave_out(upload_id, column=of, user=DIRECTOR)

    erased = pipeline.erase(1)

    assert upload_id not in erased.rows
    staging = pipeline.store.staging(upload_id)
    facts = staging.facts()
    assert facts.columns == ("account_number", "column_2", "column_3")
    assert facts.left_out == ("column_3",)
    assert staging.table("corrected_cells")["column"].to_list() == ["column_2"]
