"""The local cloud's HTTP, beside what is refused at its door."""

from __future__ import annotations

import http.client
import os
import re
import resource
import signal
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

from mpe.local import serving
from mpe.local.cloud import LocalCloud
from mpe.local.door import SECRET
from mpe.local.errors import ServerDiedError
from tests.local.conftest import wait_until

pytestmark = pytest.mark.local
OTHER = "111111111111"


@pytest.fixture(scope="module")
def empty() -> Iterator[LocalCloud]:
    with LocalCloud(empty=True) as running:
        running.client("s3").create_bucket(Bucket="ours")
        yield running


@pytest.fixture
def connection(empty: LocalCloud) -> Iterator[http.client.HTTPConnection]:
    made = http.client.HTTPConnection("127.0.0.1", empty.port)
    yield made
    made.close()


def target(s3: Any, bucket: str, key: str) -> str:
    """Return what a request asks for that puts an object in the name of a client."""
    url = urlsplit(s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": key}))
    return f"{url.path}?{url.query}"


@pytest.mark.parametrize(
    "offered",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"Connection": "Upgrade", "Upgrade": "TLS/1.2"}, id="tls"),
        pytest.param(
            {
                "Connection": "Upgrade, HTTP2-Settings",
                "Upgrade": "h2c",
                "HTTP2-Settings": "AAMAAABkAAQAAP__",
            },
            id="http-2",
        ),
    ],
)
@pytest.mark.parametrize("body", [b"", b"abc", b"x" * 3_000_000], ids=["none", "few", "much"])
def test_whatever_a_client_offers_besides_its_body_arrives(
    empty: LocalCloud, connection: http.client.HTTPConnection, offered: dict[str, str], body: bytes
) -> None:
    """`curl --http2` offers another protocol with each request."""
    s3 = empty.client("s3")
    for _ in range(2):  # the second on the same connection
        connection.request("PUT", target(s3, "ours", "a"), body=body, headers=offered)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
        assert s3.get_object(Bucket="ours", Key="a")["Body"].read() == body


def test_chunks_arrive_beside_an_offer(
    empty: LocalCloud, connection: http.client.HTTPConnection
) -> None:
    s3 = empty.client("s3")
    offered = {"Connection": "Upgrade", "Upgrade": "h2c", "Transfer-Encoding": "chunked"}
    chunks = iter([b"ab", b"c"])
    url = target(s3, "ours", "chunks")
    connection.request("PUT", url, body=chunks, headers=offered, encode_chunked=True)
    assert connection.getresponse().status == 200
    assert s3.get_object(Bucket="ours", Key="chunks")["Body"].read() == b"abc"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        pytest.param("PUT", "/ours/a", {"Origin": "http://evil.example"}, 403, id="the-door"),
        pytest.param("PUT", "/_ministack/health", {}, 200, id="ministack"),
        pytest.param("PUT", "/_mpe/health", {}, 200, id="a-page"),
    ],
)
def test_an_answer_before_the_body_was_asked_for_is_the_connections_last(
    empty: LocalCloud,
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    headers: dict[str, str],
    status: int,
) -> None:
    """Else the next request would be taken for the body that the client did not send."""
    waits = {"Expect": "100-continue", "Content-Length": "500", SECRET: empty.secret}
    connection.putrequest(method, path)
    for name, value in {**waits, **headers}.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    answer.read()
    assert (answer.status, answer.will_close) == (status, True)
    connection.request("GET", "/_mpe/health", headers={SECRET: empty.secret})
    assert connection.getresponse().status == 200


def test_other_machines_do_not_reach_it(empty: LocalCloud) -> None:
    """Nor another address of this one, where the whole network 127/8 is its own, as in Linux."""
    with socket.create_connection(("127.0.0.1", empty.port)):
        pass
    with (
        pytest.raises((ConnectionError, TimeoutError)),
        socket.create_connection(("127.0.0.2", empty.port), timeout=5),
    ):
        pass


def test_it_is_no_proxy(connection: http.client.HTTPConnection) -> None:
    connection.request("CONNECT", "example.com:443")
    assert connection.getresponse().status == 400


def test_a_request_is_not_taken_for_one_of_who_asked_before(
    empty: LocalCloud, connection: http.client.HTTPConnection
) -> None:
    """Two accounts share a connection, as through a proxy; the second does not say who it is."""
    config = Config(s3={"addressing_style": "path"})
    key = {"aws_access_key_id": OTHER, "aws_secret_access_key": "test"}
    at: dict[str, Any] = {"endpoint_url": empty.endpoint, "region_name": empty.region}
    theirs = boto3.client("s3", **at, **key, config=config)
    theirs.create_bucket(Bucket="theirs")
    connection.request("PUT", target(theirs, "theirs", "a"), body=b"x" * 3_000_000)
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"")
    connection.request("GET", "/")
    buckets = re.findall("<Name>(.*?)<", connection.getresponse().read().decode())
    assert buckets == ["ours"]


def test_it_starts_whatever_is_said_to_uvicorn_and_ends_as_it_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "2")
    with LocalCloud(empty=True) as running:
        assert running.client("sts").get_caller_identity()["Account"] == running.account
        os.kill(running.pid, signal.SIGTERM)

        def ended() -> str:
            try:
                running.check()
            except ServerDiedError as error:
                return str(error)
            return ""

        assert "(exit code 0)" in wait_until(ended)


def test_where_the_system_lets_no_more_files_be_open_there_are_fewer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """macOS says that there is no limit, and refuses to have none."""
    tried: list[tuple[int, int]] = []

    def refuse(_: int, limits: tuple[int, int]) -> None:
        tried.append(limits)
        raise ValueError("current limit exceeds maximum limit")

    most = resource.RLIM_INFINITY
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, most))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    serving._raise_files()
    assert tried == [(most, most)]
