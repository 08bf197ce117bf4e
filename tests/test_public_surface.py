"""The public names, spelled by hand: a name that is added or removed fails here, and belongs in the changelog."""

import re
import runpy
from pathlib import Path

import dagster as dg

from contact_pipeline import Pipeline
from contact_pipeline.contracts.frames import OUTCOME_ROWS, RAW_ROWS, REJECTIONS, REPAIRS
from contact_pipeline.contracts.kept import KEPT
from contact_pipeline.orchestration.definitions import defs

OPTIONS_OF_PLANS = """
    --profile --group --group-members --blank --blank-in --lists --rule --lead-type --delimiter --encoding --sheet --map
    --date-format --save-mapping --deactivate-missing --reactivate --clear-do-not-contact --allow-deactivations
    --allow-rejected --allow-changed --continues --user --force
"""
COMMANDS = f"""
profiles
profiles check FILE
profiles draft FILE --name --delimiter --encoding --sheet --output --overwrite
profiles show PROFILE --schema
template PROFILE --example --output --overwrite
inspect FILE --delimiter --encoding --sheet --unmasked
value FIELD TEXTS --region --format --pivot --zone --from --profile --unmasked
plan FILE {OPTIONS_OF_PLANS}
import FILE {OPTIONS_OF_PLANS} --yes
feeds
feeds check NAME
feeds run NAME --again
uploads --profile --state --since --feed --waiting --where --limit
show UPLOAD --rows --changes --all-errors --all-warnings --repairs --suggestions --explain --where --limit
review UPLOAD --output --overwrite
apply UPLOAD --changeset --confirm-encoding --confirm-deactivations --confirm-rejected --confirm-changed
    --withdraw --user
finalize UPLOAD --user
cancel UPLOAD --user
sql UPLOAD QUERY --output --unmasked --overwrite
repairs UPLOAD --output --overwrite --where --limit
rejected UPLOAD --output --row-numbers --overwrite
resolve UPLOAD --row --to --from --withdraw --user
in-review UPLOAD --output --overwrite --where --limit
decisions --where --limit
correct UPLOAD --row --where --set --from --remember --withdraw --user
leave-out UPLOAD --row --column --withdraw --user
value-mappings list
value-mappings forget NUMBER --user
replan UPLOAD --user
undo UPLOAD --plan --changes --clear-do-not-contact --yes --user
redo UPLOAD --plan --changes --yes --user
contacts list --published --as-of --where --limit
contacts find TEXT --email --phone --name --account --group --upload --limit
contacts show CONTACT
contacts history CONTACT
contacts export CONTACT --output --alone --overwrite
contacts add --profile --field --option --yes --user
contacts deactivate CONTACT --user
contacts reactivate CONTACT --user
contacts erase CONTACT --yes --user
duplicates find --profile --group --near --at-least --limit --output --overwrite
duplicates merge --profile --from --set --user
export --profile --output --portfolio --account-type --group --address-book --where --inactive --published --overwrite
export-profiles
export-profiles list
export-profiles show PROFILE
export-profiles check FILE
profiles draft FILE --name --delimiter --encoding --sheet --output --overwrite
accounts list --where --limit
accounts show ACCOUNT
groups list --where --limit
groups add NAME CONTACTS --yes --user
groups remove NAME CONTACTS --yes --user
users load FILE
users list --where --limit
vocabularies load NAME FILE
vocabularies list --where --limit
notices --where --limit
notices check
notices test TARGET
notices send --again
verify
migrate-engine ENGINE
backup FILE --overwrite --without-finished
restore FILE --replace --erasures --user
expire --older-than --profile --kind --dry-run --user
serve --host --port --socket --read-only
"""
CALLS = """
    apply apply_automatic backup cancel check_feed check_notices continued_by correct correct_from corrections
    decisions erase expire expiries explain export export_person export_profiles feeds finalize find find_duplicates
    forget_value_mapping in_review leave_out linked_with match merge_duplicates migrate_engine missed_feeds
    normalize notices overview plan plan_again plan_contact plan_group_add plan_group_remove plan_redo plan_undo
    profiles read receive redo repairs resolve resolve_from resolve_many restore review review_page run_feed
    schema_of send_notices set_active show sql sql_tables suggestions test_notice tidy tidy_arrivals undo uploads
    validate value_mappings verify who withdraw withdraw_approval withdraw_correction
"""
ASSETS = "raw_upload normalized_frame validated_rows matched_changeset applied_contacts awaiting_approval contacts"
CHECKS = """
    apply_gates change_guard deactivation_guard duplicate_count encoding_guard error_count file_accepted reconciliation
    rejection_guard
"""
JOBS = """
    apply_upload cancel_upload expire finalize_upload import_upload redo_upload replan_upload resolve_upload
    stage_upload undo_upload withdraw_upload
"""
SENSORS = "apply_automatic contact_totals command_line_uploads inbox notices waiting_uploads"
EVERYWHERE = {"--json", "--home", "--no-color", "--help"}


def test_commands_and_their_options():
    expected = {" ".join(line.split()) for line in re.sub(r"\n +", " ", COMMANDS).splitlines() if line.strip()}
    commands = runpy.run_path(str(Path(__file__).parents[1] / "docs" / "generate.py"))["commands"]
    found = set()
    for path, command in commands():
        arguments = [each.name.upper() for each in command.params if each.param_type_name == "argument"]
        options = [each.opts[0] for each in command.params if each.param_type_name == "option"]
        found.add(" ".join([*path, *arguments, *(option for option in options if option not in EVERYWHERE)]))

    assert found == expected


def test_calls_of_a_pipeline():
    assert [name for name in dir(Pipeline) if not name.startswith("_")] == CALLS.split()


def test_names_in_dagster():
    graph = defs.resolve_asset_graph()

    assert {key.to_user_string() for key in graph.get_all_asset_keys()} == {*ASSETS.split()}
    assert {check.name for check in graph.asset_check_keys} == {*CHECKS.split()}
    assert {job.name for job in defs.jobs} == {*JOBS.split()}
    assert {sensor.name for sensor in defs.sensors} == {*SENSORS.split()}
    assert isinstance(defs, dg.Definitions)


def test_columns_of_the_frames():
    assert [*RAW_ROWS.columns] == ["row_number", "line_number"]
    assert [*REPAIRS.columns] == ["row_number", "column", "field", "before", "after", "why"]
    assert [*REJECTIONS.columns] == [
        "row_number", "line_number", "column", "field", "value", "code", "message", "fix", "severity",
    ]  # fmt: skip
    assert [*OUTCOME_ROWS.columns] == [
        "row_number", "outcome", "contact_id", "account_id", "duplicate_of_row", "duplicate_of_contact", "reason",
    ]  # fmt: skip


def test_columns_that_other_programs_read():
    published = {table.name: [column.name for column in table.columns] for table in KEPT if table.lies == "view"}

    assert published == {
        "published_contacts": [
            "contact_id", "address_book", "revision", "last_upload_id", "active", "first_name", "last_name",
            "full_name", "email", "phone", "date_of_birth", "ssn", "zip_code", "account_number", "do_not_contact",
            "notes",
        ],
        "published_memberships": ["address_book", "group_name", "contact_id"],
        "published_links": ["contact_id", "linked_to"],
    }  # fmt: skip
