"""Feeds from S3, with the server of moto."""

import logging

import boto3
import pytest
from moto.server import ThreadedMotoServer

from contact_pipeline.errors import Refusal
from tests.feeds.conftest import bytes_of, people
from tests.feeds.servers import Wire, serving

SECRET = "s3cr3t-0f-the-crm"


@pytest.fixture(scope="module")
def wire():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        with serving(Wire(server.get_host_and_port()[1])) as wire:
            yield wire
    finally:
        server.stop()


@pytest.fixture
def bucket(wire, monkeypatch):
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{wire.port}", "AWS_EC2_METADATA_DISABLED": "true",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="crm")
    yield client
    for found in client.list_objects_v2(Bucket="crm").get("Contents", ()):
        client.delete_object(Bucket="crm", Key=found["Key"])
    client.delete_bucket(Bucket="crm")
    client.close()


def test_files_are_fetched_once_whatever_happens_to_the_connection(bucket, wire, pipeline, feed, home, caplog):
    feed("s3://crm/out/*.csv", after={"move": "fetched"})
    large = people("Rosa", rows=20_000)
    bucket.put_object(Bucket="crm", Key="out/first.csv", Body=large)
    bucket.put_object(Bucket="crm", Key="out/second.csv.part", Body=b"half")
    bucket.put_object(Bucket="crm", Key="out/.hidden.csv", Body=b"half")
    bucket.put_object(Bucket="crm", Key="out/deeper/third.csv", Body=people("Ada"))
    bucket.put_object(Bucket="crm", Key="out/", Body=b"")  # as consoles make what looks like a folder
    wire.cut_after = 400_000

    run = pipeline.run_feed("crm")

    assert wire.cuts == 1
    assert [upload.file_name for upload in run.uploads] == ["first.csv"]
    upload = pipeline.show(run.uploads[0].upload_id)
    assert (upload.file_size, upload.state, upload.feed) == (len(large), "received", "crm")
    assert pipeline.originals.path(upload.upload_id).read_bytes() == large
    assert run.waiting == 1  # the hidden one; the other has another ending

    again = pipeline.run_feed("crm", stage=True)

    assert [(file.upload.upload_id, file.upload.state) for file in again.files] == [(upload.upload_id, "applied")]
    keys = {found["Key"] for found in bucket.list_objects_v2(Bucket="crm")["Contents"]}
    assert "out/fetched/first.csv" in keys
    assert "out/first.csv" not in keys
    assert pipeline.run_feed("crm").as_dict() | {"waiting": 0} == {
        "feed": "crm", "files": [], "waiting": 0, "known": 0, "never_taken": [], "missed_at": None,
    }  # fmt: skip
    feed("s3://crm/none/*.csv", "empty")  # where there are no files, there is no folder
    feed("s3://crm/out/first.csv", "moved", after="delete")
    assert [pipeline.run_feed(name).files for name in ("empty", "moved")] == [[], []]
    assert len(pipeline.uploads(feed="crm")) == 1
    for path, content in bytes_of(home).items():
        assert SECRET.encode() not in content, path
    assert SECRET not in caplog.text


def test_a_name_with_new_content_is_another_file(bucket, pipeline, feed):
    feed("s3://crm/list.csv")
    for names in (["Ada"], ["Ada", "Rosa"], ["Ada"]):  # the third is as the first, and must be received all the same
        bucket.put_object(Bucket="crm", Key="list.csv", Body=people(*names))
        assert len(pipeline.run_feed("crm").uploads) == 1
        assert pipeline.run_feed("crm").uploads == []


def test_ten_thousand_names_are_listed_once(bucket, pipeline, feed, monkeypatch):
    feed("s3://crm/many/list-0500*.csv")
    import s3fs

    names = [
        {"name": f"crm/many/list-{number:05}.csv", "type": "file", "size": 1, "ETag": "x"} for number in range(10_000)
    ]
    monkeypatch.setattr(s3fs.S3FileSystem, "ls", lambda *_, **__: names)

    assert len(pipeline.check_feed("crm").new) == 10


@pytest.mark.parametrize(
    ("source", "environment", "code"),
    [
        ("s3://no-such-bucket/*.csv", {}, "feed-missing"),
        ("s3://crm/none.csv", {}, "feed-missing"),
        ("s3://crm/*.csv", {"AWS_PROFILE": "nobody"}, "feed-login"),
        ("s3://crm/*.csv", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "feed-unreachable"),
        ("s3://crm/*.csv", {"AWS_ENDPOINT_URL": "http://no-such-host.invalid"}, "feed-server-unknown"),
    ],
)
def test_an_error_of_s3_becomes_a_refusal_in_words(bucket, pipeline, feed, monkeypatch, source, environment, code):
    feed(source)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(Refusal) as refused:
        pipeline.run_feed("crm")

    assert refused.value.code == code
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None
