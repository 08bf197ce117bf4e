"""A file whose encoding is doubtful waits until it is declared or confirmed."""

import pytest

from checks.encoding_guard import encoding_guard

PROFILE = """
name: plain
title: Contacts
address_book: plain
file: {types: [csv]}
headings: mapped
columns:
  - {field: first_name, heading: First name}
  - {field: last_name, heading: Last name}
  - {field: email, heading: Email, type: email, required: true}
  - {field: company, heading: Company, sensitive: true}
match: [{equal: [email]}]
on_error: reject
apply: automatic
"""
HEADING = b"First name,Last name,Email,Company,Remark\n"
TWICE = "Jürgen".encode().decode("cp1252").encode() + b",Meier,j@example.com,,\n"


@pytest.fixture
def plan(pipeline, tmp_path):
    profile = pipeline.settings.profiles_path / "plain.yaml"
    profile.parent.mkdir(exist_ok=True, parents=True)
    profile.write_text(PROFILE)

    def plan_file(rows, **options):
        file = tmp_path / "contacts.csv"
        file.write_bytes(HEADING + rows)
        return pipeline.plan(file, "plain", **options)

    return plan_file


def test_a_doubtful_file_is_blocked_with_examples_until_somebody_confirms(pipeline, plan):
    upload = plan(TWICE)

    assert (upload.state, upload.reason["code"], upload.reason["confirm"]) == (
        "blocked", "encoding-guard", ["encoding"],
    )  # fmt: skip
    assert "row 2, First name: JÃ¼rgen or Jürgen" in upload.reason["message"]
    assert "--encoding" in upload.reason["fix"]
    assert "--confirm-encoding" in upload.reason["fix"]
    assert not encoding_guard.judge(upload).passed
    assert pipeline.apply_automatic(upload.upload_id).state == "blocked"
    assert pipeline.apply(upload.upload_id, confirm_rejected=True).state == "blocked"
    assert pipeline.apply(upload.upload_id, confirm_encoding=True).imports == 1


def test_a_declared_encoding_is_enough(plan):
    upload = plan(TWICE, encoding="utf-8")

    assert upload.state == "staged"
    assert encoding_guard.judge(upload).passed


def test_three_readings_are_shown(plan):
    rows = "".join(f"Şahin,Şener,s{n}@example.com,,\n" for n in range(3)).encode("cp1254")

    message = plan(rows).reason["message"]

    assert message.count("row ") == 2  # two words, each once
    assert "Şahin or " in message or " or Şahin" in message


def test_a_column_that_is_not_imported_holds_nothing(plan):
    assert plan("Ada,Byron,a@example.com,,Şahin\n".encode("cp1254")).state == "staged"


def test_a_sensitive_value_is_no_example(plan):
    upload = plan("Ada,Byron,a@example.com,Şahin,\n".encode("cp1254"))

    assert upload.state == "blocked"
    assert "ahin" not in upload.reason["message"]


def test_the_doubt_outlives_planning_again(pipeline, plan):
    upload = plan(TWICE)

    assert pipeline.plan_again(upload.upload_id).reason["code"] == "encoding-guard"


@pytest.mark.parametrize(
    ("names", "page"),
    [
        (["Jiří,Dvořák", "Šárka,Nováková", "Tomáš,Černý"], "cp1250"),
        (["György,Szűcs", "Ágnes,Tőkés"], "cp1250"),
        (["Jiří,Dvořák", "Šárka,Nováková", "Tomáš,Kříž", "Aleš,Hájek"], "iso8859-2"),
        (["Łukasz,Żółć", "Zażółć,Gęślą"], "cp1250"),
        (["Ayşe,Yıldız", "Gökçe,Çağlar"], "cp1254"),
        (["Jānis,Bērziņš", "Līga,Kalniņa"], "cp1257"),
        (["Иван,Петров", "Ольга,Кузнецова"], "mac-cyrillic"),
    ],
)
def test_names_are_read_right(pipeline, plan, names, page):
    upload = plan("".join(f"{name},c{n}@example.com,,\n" for n, name in enumerate(names)).encode(page))

    assert upload.state == "staged"
    created = {change["fields"]["last_name"][1] for change in upload.as_dict(changes=True)["changes"]}
    assert created == {name.split(",")[1] for name in names}
