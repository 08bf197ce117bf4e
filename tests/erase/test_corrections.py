"""Corrections in a person's rows are erased with the person, and are in the answer to a request for access."""

from contact_pipeline.access.collect import collect

HEADINGS = "First name,Phone number,Social security number,Last name,Date of birth,Account number,Email,Zip code\n"


def plan(pipeline, folder, name, *lines):
    file = folder / name
    file.write_text(HEADINGS + "".join(f"{line}\n" for line in lines))
    return pipeline.plan(file, "outreach_contacts", group="Spring")


def test_corrections_and_remembered_values_of_a_person_go(small, tmp_path):
    applied = plan(small, tmp_path, "first.csv", "Rosa,,,Delgado,,AC-1,rosa@,", "Ian,,,Moss,,AC-2,ian@example.com,")
    to_rosa = {"where": ("Email", "rosa@"), "set": {"email": "rosa.delgado@example.com"}}
    small.correct(applied.upload_id, **to_rosa, remember=True)
    small.correct(applied.upload_id, row=3, set={"last_name": "Mosse"})
    small.apply(applied.upload_id)
    again = plan(small, tmp_path, "second.csv", "Rosa,,,Delgado-Sun,,AC-1,rosa@,", "Bo,,,Dahl,,AC-3,bo@example.com,")
    small.correct(again.upload_id, row=2, set={"last_name": "Delgado"})
    number = next(c["contact_id"] for c in small.store.contacts() if c["account_number"] == "AC-1")

    held = collect(small.store, number)["corrections"]
    assert [(each["column"], each["before"], each["after"]) for each in held] == [
        ("Email", "rosa@", "rosa.delgado@example.com"), ("Last name", "Delgado-Sun", "Delgado"),
    ]  # fmt: skip

    small.erase(number)

    assert small.value_mappings() == []
    left = [*small.corrections(applied.upload_id), *small.corrections(again.upload_id)]
    assert [(each["before"], each["after"], each["withdrawn"]) for each in left] == [
        (None, None, True), ("Moss", "Mosse", False), (None, None, True),
    ]  # fmt: skip
    home = small.settings.home
    found = [path for path in home.rglob("*") if path.is_file() and b"rosa.delgado@example.com" in path.read_bytes()]
    assert found == []


def test_what_is_planned_again_after_an_erasure_brings_nothing_back(small, tmp_path):
    small.apply(plan(small, tmp_path, "first.csv", "Rosa,,,Delgado,,AC-1,rosa@example.com,").upload_id)
    again = plan(small, tmp_path, "second.csv", "Rosa,,,Delgado,,AC-1,rosa@,", "Bo,,,Dahl,,AC-3,bo@example.com,")
    small.correct(again.upload_id, row=2, set={"email": "rosa@example.com"})
    small.erase(1)

    planned = small.plan_again(again.upload_id)
    corrected = small.correct(again.upload_id, row=3, set={"zip_code": "02134"})

    assert planned.outcomes["created"] == corrected.outcomes["created"] == 1
    assert corrected.normalized_rows["email"].drop_nulls().to_list() == ["bo@example.com"]


def test_a_row_of_somebody_else_keeps_what_was_corrected_in_it_since(small, tmp_path):
    """Somebody took the row for the person's at first; and names that were remembered of the person alone go."""
    small.apply(plan(small, tmp_path, "first.csv", "Rosa,,,Delgado,,AC-1,rosa@example.com,").upload_id)
    again = plan(
        small, tmp_path, "second.csv", "Rosa,,,Delgadoo,,AC-1,rosa@example.com,", "Bo,,,Dahll,,AC-3,bo@,02139",
        "Bea,,,Dahll,,AC-4,bea@example.com,",
    )  # fmt: skip
    small.correct(again.upload_id, row=3, set={"email": "rosa@example.com", "zip_code": "02134"})
    small.correct(again.upload_id, row=3, set={"email": "bo@example.com"})
    for wrong, right in (("Delgadoo", "Delgado"), ("Dahll", "Dahl")):
        small.correct(again.upload_id, where=("Last name", wrong), set={"last_name": right}, remember=True)
    small.erase(1)

    cells = [(each["before"], each["after"], each["withdrawn"]) for each in small.corrections(again.upload_id)]
    assert set(cells) == {
        ("bo@", None, True), ("02139", "02134", False), ("***", "bo@example.com", False), ("Dahll", "Dahl", False),
        (None, None, True),
    }  # fmt: skip
    assert [(each["before"], each["after"]) for each in small.value_mappings()] == [("dahll", "Dahl")]
    planned = small.plan_again(again.upload_id)
    assert planned.normalized_rows.select("email", "zip_code").drop_nulls().rows() == [("bo@example.com", "02134")]
    home = small.settings.home
    found = [path for path in home.rglob("*") if path.is_file() and b"rosa@example.com" in path.read_bytes()]
    assert found == []
