"""Feeds from HTTPS, with a server and a CA of our own."""

import base64

import pytest

from contact_pipeline.errors import Refusal
from tests.feeds.conftest import bytes_of, people
from tests.feeds.servers import Web, Wire, expired, new_authority, serving

PASSWORD = "pa55word-0f-the-crm"
LOGIN = "Basic " + base64.b64encode(f"crm:{PASSWORD}".encode()).decode()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return new_authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def served(authority):
    with serving(Web(authority[0])) as server, serving(Wire(server.server_address[1])) as wire:
        server.wire = wire
        server.at = f"https://127.0.0.1:{wire.port}"
        yield server


@pytest.fixture
def server(served, authority, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority[1]))
    served.files, served.login, served.asked = {}, None, []
    served.wire.cuts, served.marks, served.logins = 0, True, []
    return served


def test_a_file_is_fetched_once_whatever_happens_to_the_connection(server, pipeline, feed, home, monkeypatch, caplog):
    monkeypatch.setenv("CONTACT_PIPELINE_FEED_CRM_USER", "crm")
    monkeypatch.setenv("CONTACT_PIPELINE_FEED_CRM_PASSWORD", PASSWORD)
    server.login = LOGIN
    path = "/out/new%20people.csv?format=csv"
    feed(f"{server.at}{path}")
    large = people("Rosa", rows=20_000)
    server.files[path] = large
    server.wire.cut_after = 600_000

    run = pipeline.run_feed("crm")

    assert (server.wire.cuts, run.problem) == (1, None)
    assert [upload.file_name for upload in run.uploads] == ["new people.csv"]
    assert pipeline.originals.path(run.uploads[0].upload_id).read_bytes() == large
    server.asked.clear()
    assert pipeline.run_feed("crm").known == 1
    assert not [path for method, path in server.asked if method == "GET"]
    server.files[path] = people("Ada")
    assert len(pipeline.run_feed("crm").uploads) == 1

    monkeypatch.setenv("CONTACT_PIPELINE_FEED_CRM_PASSWORD", f"{PASSWORD}-of-last-year")
    with pytest.raises(Refusal) as refused:
        pipeline.run_feed("crm")
    assert refused.value.code == "feed-login"
    said = f"{refused.value}{refused.value.__context__!r}{caplog.text}".encode()
    for content in (said, *bytes_of(home).values()):
        assert PASSWORD.encode() not in content
        assert LOGIN.split()[1].encode() not in content


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "feed-missing"),
        ((403, {}), "feed-permission"),
        ((503, {}), "feed-server"),
        ((302, {"Location": "http://127.0.0.1:9/in-the-clear.csv"}), "feed-in-the-clear"),
    ],
)
def test_what_the_server_answers_is_said_in_words(server, pipeline, feed, content, code):
    feed(f"{server.at}/out.csv")
    server.files["/out.csv"] = content

    with pytest.raises(Refusal) as refused:
        pipeline.run_feed("crm")

    assert refused.value.code == code


def test_a_server_that_sends_on_gets_the_login_and_nobody_else(server, authority, pipeline, feed, monkeypatch):
    monkeypatch.setenv("CONTACT_PIPELINE_FEED_CRM_TOKEN", PASSWORD)
    with serving(Web(authority[0])) as other:
        other.files["/there.csv"] = people("Ada")
        to = f"https://127.0.0.1:{other.server_address[1]}/there.csv"
        server.files["/out.csv"] = (302, {"Location": to})
        feed(f"{server.at}/out.csv")

        run = pipeline.run_feed("crm")

    assert [upload.file_name for upload in run.uploads] == ["out.csv"]
    assert {*server.logins} == {f"Bearer {PASSWORD}"}
    assert {*other.logins} == {None}


def test_a_certificate_that_is_not_to_be_trusted_ends_it(server, authority, pipeline, feed, monkeypatch, tmp_path):
    server.files["/out.csv"] = people("Ada")
    with serving(Web(authority[0], **expired())) as out_of_date:
        out_of_date.files["/out.csv"] = people("Ada")
        feed(f"https://127.0.0.1:{out_of_date.server_address[1]}/out.csv")
        with pytest.raises(Refusal) as refused:
            pipeline.run_feed("crm")
        assert refused.value.code == "feed-certificate"
    feed(f"{server.at}/out.csv")
    monkeypatch.setenv("SSL_CERT_FILE", str(new_authority(tmp_path)[1]))
    with pytest.raises(Refusal) as refused:
        pipeline.run_feed("crm")
    assert refused.value.code == "feed-certificate"
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority[1]))
    assert len(pipeline.run_feed("crm").uploads) == 1


def test_a_server_that_says_nothing_of_a_file_is_asked_for_its_content(server, pipeline, feed):
    feed(f"{server.at}/out.csv")
    server.marks = False
    server.files["/out.csv"] = people("Ada")

    assert [len(pipeline.run_feed("crm").uploads) for _ in range(2)] == [1, 0]
    server.files["/out.csv"] = people("Eva")  # of the same length
    assert len(pipeline.run_feed("crm").uploads) == 1


def test_a_file_that_grows_past_what_is_taken_is_given_up(server, pipeline, feed, monkeypatch):
    from contact_pipeline.feeds.remote import RemoteOrigin

    feed(f"{server.at}/out.csv")
    server.files["/out.csv"] = people("Rosa", rows=20_000)
    look = RemoteOrigin._found
    unsized = lambda self, info: look(self, {name: value for name, value in info.items() if name != "size"})  # noqa: E731
    monkeypatch.setattr(RemoteOrigin, "_found", unsized)
    monkeypatch.setenv("CONTACT_PIPELINE_MAX_FILE_BYTES", "100000")

    run = type(pipeline)(pipeline.settings.home).run_feed("crm")

    assert run.problem.code == "file-too-large"
    assert run.uploads == []
