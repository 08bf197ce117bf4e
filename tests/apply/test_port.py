"""Stage 5 speaks to an engine by the verbs of the port alone, in queries that Spark has as well."""

from functools import wraps
from pathlib import Path

import pytest
import sqlglot
import yaml
from sqlglot import exp

from contact_pipeline import Pipeline
from contact_pipeline.cli.app import run
from contact_pipeline.engines import KeptTables
from contact_pipeline.engines.dialect import to_spark
from contact_pipeline.pipeline import by_hand, committing
from tests.thorough import THOROUGH

# Accounts, contacts that name them, groups, links.
FEW = ("portfolio_accounts_1", "portfolio_contacts_1", "outreach_contacts_1", "dealer_leads_1")
SAMPLES = Path(__file__).parents[2] / "data" / "samples"
OF_SPARK = {"array_position", "octet_length", "slice", "xxhash64", "nfc_normalize", "strip_accents"}
STAGE_FIVE = {
    committing: ("write_changeset", "mark_effect", "plan_effect", "stale_rows"),
    by_hand: ("stage_activation", "stage_memberships"),
}
VERBS = {name for kind in KeptTables.__mro__ for name in vars(kind) if not name.startswith("_")}


class OnlyVerbs:
    """An engine of which nothing but the port is seen, and the queries that it is given."""

    def __init__(self, database, said):
        self._database = database
        self._said = said

    def __getattr__(self, name):
        if name not in VERBS:
            raise AttributeError(name)
        verb = getattr(self._database, name)

        @wraps(verb)
        def told(*given, **named):
            self._said.extend(queries(name, given, named))
            return verb(*given, **named)

        return told


def queries(verb, given, named):
    """What a verb is given, as whole queries."""
    match verb:
        case "make" | "stage" | "view" | "stage_view" | "append":
            return [given[1]]
        case "keep":
            return given[1:]
        case "frame" | "rows" | "value":
            return given[:1]
        case "delete":
            return [f"SELECT * FROM {given[0]} WHERE {given[1]}"]
        case "update":
            values = ", ".join(given[1].values())
            return [f"SELECT {values} FROM {given[0]} WHERE {given[2]}"]
        case "merge":
            table, changes, identity = given
            joined = f"{table} AS e LEFT JOIN {changes} AS s ON e.{identity} = s.{identity}"
            expressions = [*named["updated"].values(), *named["inserted"].values()]
            return [
                f"SELECT {', '.join(expressions)} FROM {joined} WHERE {named['created']} OR {named['removed']}",
            ]
        case _:
            return []


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """The queries of stage 5 while the samples are applied, taken back, brought back, and changed by hand."""
    home = tmp_path_factory.mktemp("home")
    found = []
    with pytest.MonkeyPatch.context() as patch:
        for module, names in STAGE_FIVE.items():
            for name in names:
                patch.setattr(module, name, on_verbs(getattr(module, name), found))
        live(home)
    return {*found}


def on_verbs(call, said):
    return lambda database, *given, **named: call(OnlyVerbs(database, said), *given, **named)


def live(home):
    """Plans every sample file twice before it is applied; undoes and redoes the uploads."""
    run(["--home", str(home), "users", "load", str(SAMPLES / "users.yaml")])
    run(["--home", str(home), "vocabularies", "load", "specialties", str(SAMPLES / "specialties.txt")])
    pipeline, applied = Pipeline(home), []
    for each in yaml.safe_load((SAMPLES / "expected.yaml").read_text(encoding="utf-8"))["uploads"]:
        path = SAMPLES / Path(each["file"]).name
        if not (THOROUGH or path.stem in FEW):
            continue
        options = yaml.safe_load(path.with_name(f"{path.name}.options.yaml").read_text(encoding="utf-8"))
        user = options["user"]
        plans = [pipeline.plan(path, each["profile"], **options | {"force": True}) for _ in range(2)]
        # The second of the two has to be decided again, and is stale.
        done = [pipeline.apply(plan.upload_id, user=user) for plan in plans if plan.state == "staged"]
        applied += [(upload.upload_id, user) for upload in done if upload.state == "applied"]
    contact = pipeline.store.contacts()[0]["contact_id"]
    for active in (False, True):
        pipeline.set_active(contact, active=active, user="pat")
    joining = pipeline.plan_group_add("Friends", [contact], user="pat")
    applied.append((joining.upload_id, "pat"))
    pipeline.apply(joining.upload_id, user="pat")
    for upload_id, user in applied:
        pipeline.undo(upload_id, user=user, clear_do_not_contact=True)
    for upload_id, user in reversed(applied):
        pipeline.redo(upload_id, user=user)


def test_stage_five_uses_nothing_but_the_port(said):
    assert len(said) > 100


def test_every_query_is_one_that_spark_has(said):
    refused, unknown = {}, set()
    for query in said:
        try:
            tree = sqlglot.parse_one(to_spark(query), read="spark")
        except (sqlglot.errors.ParseError, sqlglot.errors.UnsupportedError) as error:
            refused[query] = str(error)
        else:
            unknown |= {call.name for call in tree.find_all(exp.Anonymous) if call.name.lower() not in OF_SPARK}
    assert (refused, unknown) == ({}, set())
