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
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from mpe.local import serving
from mpe.local.cloud import LocalCloud
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
    key = {"Bucket": "ours", "Key": "a"}
    url = urlsplit(empty.client("s3").generate_presigned_url("put_object", Params=key))
    for _ in range(2):  # the second on the same connection
        connection.request("PUT", f"{url.path}?{url.query}", body=body, headers=offered)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
        assert empty.client("s3").get_object(**key)["Body"].read() == body


def test_chunks_arrive_beside_an_offer(
    empty: LocalCloud, connection: http.client.HTTPConnection
) -> None:
    key = {"Bucket": "ours", "Key": "chunks"}
    url = urlsplit(empty.client("s3").generate_presigned_url("put_object", Params=key))
    offered = {"Connection": "Upgrade", "Upgrade": "h2c", "Transfer-Encoding": "chunked"}
    chunks = iter([b"ab", b"c"])
    connection.request(
        "PUT", f"{url.path}?{url.query}", body=chunks, headers=offered, encode_chunked=True
    )
    assert connection.getresponse().status == 200
    assert empty.client("s3").get_object(**key)["Body"].read() == b"abc"


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
    boto3.client("s3", **at, **key, config=config).create_bucket(Bucket="theirs")
    request = AWSRequest("PUT", f"{empty.endpoint}/theirs/a", data=b"x" * 3_000_000)
    S3SigV4Auth(Credentials(OTHER, "test"), "s3", empty.region).add_auth(request)
    connection.request("PUT", "/theirs/a", body=request.data, headers=dict(request.headers))
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
