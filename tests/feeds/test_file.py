"""The file of a feed: what stands in it, and what is said of what cannot."""

import pytest

from contact_pipeline.errors import Refusal
from contact_pipeline.feeds.model import Feed
from contact_pipeline.feeds.place import place_of
from tests.feeds.conftest import people

PASSWORD = "pa55word"


def problems_of(pipeline, text, name="crm"):
    path = pipeline.settings.feeds_path / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True, mode=0o700)
    path.write_text(text)
    with pytest.raises(Refusal) as refused:
        pipeline.check_feed(name)
    assert refused.value.code == "feed-broken"
    return [(each["line"], each["key"], each["message"]) for each in refused.value.as_dict()["problems"]]


def test_everything_wrong_is_named_with_its_line_and_what_was_meant(pipeline):
    found = problems_of(
        pipeline,
        "sorce: in/*.csv\nprofile: outreach_contacts\nevery: fortnight\nafter: {mvoe: done}\n"
        'schedule: {cron: "0 6 * *"}\ndue: {at: 10:30, days: [monday]}\nnotices: ["a b"]\n',
    )

    said = {(line, key): message for line, key, message in found}
    assert said[1, "sorce"] == "is no key that is known here; did you mean 'source'?"
    assert "such as 15m" in said[3, "every"]
    assert "did you mean 'move'?" in said[4, "after.mvoe"]
    assert "five parts" in said[5, "schedule.cron"]
    assert "Put it in quotes" in said[6, "due.at"]
    assert (6, "due.days.0") in said
    assert (7, "notices.0") in said
    assert len(said) == len(found) == 7


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (f"sftp://crm:{PASSWORD}@files.example.com/out/", "_USER and _PASSWORD"),
        (f"https://crm:{PASSWORD}@files.example.com/out.csv", "_USER and _PASSWORD"),
        (f"s3://AKIA:{PASSWORD}@bucket/out/", "_USER and _PASSWORD"),
        (f"https://files.example.com/out.csv?access_token={PASSWORD}", "_TOKEN"),
        (f"https://files.example.com/out.csv?X-Amz-Signature={PASSWORD}", "_TOKEN"),
        ("http://files.example.com/out.csv", "in the clear; use https://"),
        ("ftp://files.example.com/out.csv", "in the clear; use sftp://"),
        ("https://files.example.com/", "names no file"),
        ("https://files.example.com/a%00b", "names no file"),
        ("https://files.example.com/*.csv", "cannot be listed"),
        ("sftp://files.example.com:port/out/", "no port"),
        ("s3:///out/*.csv", "no bucket"),
        ("in/*/out.csv", "wildcard in a folder"),
        ("zip::s3://bucket/out.zip", "'::'"),
    ],
)
def test_a_source_that_cannot_be_is_refused_without_its_password(pipeline, source, said):
    (problem,) = problems_of(pipeline, f"source: {source!r}\nprofile: outreach_contacts\n")

    assert problem[:2] == (1, "source")
    assert said in problem[2]
    assert PASSWORD not in problem[2]


@pytest.mark.parametrize("zone", ["utc", "America/NewYork", "Europe", "../UTC", ""])
def test_a_time_zone_that_there_is_not_is_refused_with_its_line(pipeline, zone):
    head = "source: in\nprofile: outreach_contacts\n"
    for line, place in (f"schedule: {{cron: '0 6 * * *', time_zone: {zone!r}}}", "schedule.time_zone"), (
        f"due: {{at: '09:00', time_zone: {zone!r}}}", "due.time_zone"
    ):  # fmt: skip
        (problem,) = problems_of(pipeline, f"{head}{line}\n")
        assert problem[:2] == (3, place)
        assert "is no time zone" in problem[2]


@pytest.mark.parametrize(
    "cron",
    [
        "0 0 5L * *", "0 0 LW * *", "0 0 * * 5L", "0 0 * * 1#2", "0 0 ? * 1", "@daily", "0 0 */2 * 1", "0 0 1 * */2",
        "0 0 * * 7-7", "0 0 * * 1,7/2",
    ],
)  # fmt: skip
def test_a_schedule_that_only_some_programs_take_is_refused(pipeline, cron):
    said = f"source: in\nprofile: outreach_contacts\nschedule: {{cron: '{cron}'}}\n"
    (problem,) = problems_of(pipeline, said)
    assert problem[:2] == (3, "schedule.cron")


def test_profile_and_options_are_part_of_the_file(pipeline):
    assert problems_of(pipeline, "source: in\nprofile: outreach_contact\n")[0][:2] == (2, "profile")
    head = "source: in\nprofile: outreach_contacts\n"
    assert problems_of(pipeline, f"{head}options:\n  group: A\n  blank: overwite\n")[0][:2] == (5, "options.blank")
    assert problems_of(pipeline, f"{head}options: {{user: root}}\n")[0][1:] == (
        "options.user", "is no option here: `owner` says whose the uploads are",
    )  # fmt: skip
    for text in ("", "- a\n", "source: [\n", "source: a\nsource: b\n"):
        assert problems_of(pipeline, text)
    assert "letters, digits and _" in problems_of(pipeline, head, "a-b")[0][2]
    with pytest.raises(Refusal, match=r"Did you mean 'crm'\?"):
        pipeline.run_feed("cmr")
    with pytest.raises(Refusal, match="There is no feed"):
        pipeline.run_feed("../profiles/crm")


def test_every_key_is_described():
    def described(schema):
        for name, of in schema.get("properties", {}).items():
            assert of.get("description") or "$ref" in of, name
        for each in schema.get("$defs", {}).values():
            described(each)

    described(Feed.model_json_schema())


def test_a_place_says_what_fits():
    assert place_of("s3://bucket/a/b/*.csv").folder_path == "bucket/a/b"
    assert place_of("sftp://crm@host:2222/out/list.csv").fits("list.csv")
    assert not place_of("sftp://host/out/list.csv").fits("list.CSV")
    assert place_of("sftp://host/out/[ab]?.csv").fits("b1.csv")
    assert (place_of("sftp://crm@host:2222/out/").user, place_of("in").server) == ("crm", "file://")


def test_a_broken_feed_takes_no_other_down(pipeline, feed, drop):
    feed(str(drop(**{"a.csv": people("Ada")})))
    feed("/no/such/folder/*.csv", "gone")
    (pipeline.settings.feeds_path / "broken.yaml").write_text("sorce: x")
    feed("in", "young").rename(pipeline.settings.feeds_path / "young.yml")
    (pipeline.settings.feeds_path / "bad-name.yaml").write_text("")

    with pytest.raises(Refusal) as gone:
        pipeline.run_feed("gone")
    with pytest.raises(Refusal) as broken:
        pipeline.run_feed("broken")
    run = pipeline.run_feed("crm")

    assert (gone.value.code, broken.value.code, len(run.uploads)) == ("feed-missing", "feed-broken", 1)
    said = {status.name: status.as_dict() for status in pipeline.feeds()}
    assert {name: each["ended"] for name, each in said.items()} == {
        "bad-name": "broken", "broken": "broken", "crm": "fetched", "gone": "broken", "young": "broken",
    }  # fmt: skip
    assert "name it young.yaml" in said["young"]["problem"]["message"]
    assert said["gone"]["problem"]["code"] == "feed-missing"
    assert said["broken"]["problem"]["problems"]
