"""No web page gets into the local cloud: what a browser could be made to send is refused.

The requests are written to the socket as they are, since clients would not send them so.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config

from mpe.local.cloud import LocalCloud
from mpe.local.door import CAPABILITIES, SECRET, refusal
from tests.local.ministack.conftest import function_in

PORT, KNOWN = 4566, "the-secret"
OWN = f"127.0.0.1:{PORT}"

EVIL = "http://evil.example"
PRESIGNED = (
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=test%2F20260101%2Fus-east-1%2F{}"
    "%2Faws4_request&X-Amz-Date=20260101T000000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=0"
)
"""A signature that anybody can make up."""


def asked(path: str = "/", *headers: tuple[str, str], kind: str = "http") -> dict[str, Any]:
    """Return the scope of a request, as a server of ASGI hands it over."""
    raw = [(name.encode(), value.encode()) for name, value in headers]
    return {"type": kind, "path": path, "headers": raw}


@pytest.mark.parametrize(
    "host",
    [
        pytest.param(OWN, id="the-endpoint"),
        pytest.param(f"localhost:{PORT}", id="localhost"),
        pytest.param(f"LocalHost:{PORT}", id="in-any-case"),
        pytest.param(f"bucket.localhost:{PORT}", id="a-bucket"),
        pytest.param(f"a.b-c.s3.us-east-1.localhost:{PORT}", id="a-bucket-in-a-region"),
        pytest.param(f"000000000000.localhost:{PORT}", id="an-account"),
    ],
)
def test_a_client_of_the_endpoint_is_let_in(host: str) -> None:
    """As boto3, the AWS CLI and the CDK address it: see the tests with a bucket's name below."""
    assert refusal(asked("/", ("host", host)), PORT, KNOWN) is None


@pytest.mark.parametrize(
    "hosts",
    [
        pytest.param([], id="none"),
        pytest.param([""], id="an-empty-one"),
        pytest.param(["evil.example"], id="rebinding"),
        pytest.param([f"evil.example:{PORT}"], id="rebinding-with-the-port"),
        pytest.param([f"127.0.0.1.evil.example:{PORT}"], id="the-address-as-a-label"),
        pytest.param([f"127.0.0.1.nip.io:{PORT}"], id="a-name-of-the-address"),
        pytest.param([f"localhost.evil.example:{PORT}"], id="localhost-as-a-label"),
        pytest.param([f"evillocalhost:{PORT}"], id="a-name-that-ends-so"),
        pytest.param([f"bucket.s3.amazonaws.com:{PORT}"], id="aws-itself"),
        pytest.param([f"s3.evil.example:{PORT}"], id="what-ministack-takes-for-a-bucket"),
        pytest.param([f"0.0.0.0:{PORT}"], id="any-address"),
        pytest.param([f"192.168.0.2:{PORT}"], id="another-address"),
        pytest.param(["127.0.0.1"], id="no-port"),
        pytest.param(["127.0.0.1:80"], id="another-port"),
        pytest.param([f"user@127.0.0.1:{PORT}"], id="with-a-user"),
        pytest.param([f"localhost.:{PORT}"], id="with-a-dot"),
        pytest.param([OWN, f"evil.example:{PORT}"], id="two"),
    ],
)
def test_any_other_host_is_refused(hosts: list[str]) -> None:
    scope = asked("/", *(("host", host) for host in hosts))
    assert "its Host" in str(refusal(scope, PORT, KNOWN))


PATHS = ("/", "/bucket/key", "/2015-03-31/functions", "/health", "/_mpe/mail", "/_ministack/reset")
FOREIGN = [
    pytest.param({"origin": EVIL}, id="an-origin"),
    pytest.param({"origin": "null"}, id="null"),
    pytest.param({"origin": ""}, id="an-empty-origin"),
    pytest.param({"origin": "https://127.0.0.1:4566"}, id="another-scheme"),
    pytest.param({"origin": "http://127.0.0.1:3000"}, id="another-port"),
    pytest.param({"origin": "http://127.0.0.1"}, id="no-port"),
    pytest.param({"origin": f"http://localhost:{PORT}"}, id="another-name-of-the-same"),
    pytest.param({"origin": f"http://bucket.localhost:{PORT}"}, id="a-buckets-pages"),
    pytest.param({"origin": f"http://{OWN}.evil.example"}, id="the-own-as-a-beginning"),
    pytest.param({"origin": f"http://{OWN}, {EVIL}"}, id="two-in-one"),
    pytest.param({"origin": f"http://{OWN}", "Origin": EVIL}, id="two"),
    pytest.param({"referer": f"{EVIL}/page"}, id="a-referer"),
    pytest.param({"referer": f"http://{OWN}@evil.example/"}, id="a-referer-with-a-user"),
    pytest.param({"referer": "not a url"}, id="a-referer-that-is-none"),
    pytest.param({"origin": f"http://{OWN}", "referer": f"{EVIL}/"}, id="a-referer-beside-it"),
    pytest.param({"sec-fetch-site": "cross-site"}, id="an-image-without-a-referer"),
    pytest.param({"sec-fetch-site": "same-site"}, id="another-port-of-this-machine"),
    pytest.param({"sec-fetch-site": "made-up"}, id="a-site-not-known"),
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("headers", FOREIGN)
def test_a_page_of_another_origin_is_refused_at_every_path(
    path: str, kind: str, headers: dict[str, str]
) -> None:
    """With the secret as well, which no page knows."""
    scope = asked(path, ("host", OWN), (SECRET, KNOWN), *headers.items(), kind=kind)
    assert "web page" in str(refusal(scope, PORT, KNOWN))


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"origin": f"http://{OWN}"}, id="an-origin"),
        pytest.param({"referer": f"http://{OWN}/bucket/page.html"}, id="a-referer"),
        pytest.param({"sec-fetch-site": "same-origin"}, id="the-same-origin"),
        pytest.param({"sec-fetch-site": "none"}, id="an-address-that-somebody-typed"),
    ],
)
def test_its_own_origin_is_none_of_another(headers: dict[str, str]) -> None:
    assert refusal(asked("/", ("host", OWN), *headers.items()), PORT, KNOWN) is None


@pytest.mark.parametrize(
    "path",
    ["/_mpe/mail", "/_mpe/faults", "/_mpe/none", "/_ministack/reset", "/_localstack/health"],
)
@pytest.mark.parametrize(
    "given",
    [
        pytest.param([], id="none"),
        pytest.param([""], id="an-empty-one"),
        pytest.param(["another"], id="another"),
        pytest.param(["thé-sécret"], id="one-that-is-not-ascii"),
        pytest.param([KNOWN, "another"], id="two"),
    ],
)
def test_administration_takes_the_secret(path: str, given: list[str]) -> None:
    scope = asked(path, ("host", OWN), *((SECRET, one) for one in given))
    assert "secret" in str(refusal(scope, PORT, KNOWN))
    assert refusal(asked(path, ("host", OWN), (SECRET, KNOWN)), PORT, KNOWN) is None


@pytest.mark.parametrize("path", CAPABILITIES)
def test_what_a_custom_resource_answers_to_has_a_secret_in_its_path(path: str) -> None:
    assert refusal(asked(f"{path}0a1b2c", ("host", OWN)), PORT, KNOWN) is None


@pytest.fixture(scope="module")
def empty() -> Iterator[LocalCloud]:
    with LocalCloud(empty=True) as running:
        yield running


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: str


def send(
    cloud: LocalCloud, method: str, path: str, headers: Mapping[str, str], body: str = ""
) -> Answer:
    """Send a request with just these headers, and its length."""
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=60)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in {"Host": f"127.0.0.1:{cloud.port}", **headers}.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body.encode())
    answer = connection.getresponse()
    told = {name.lower(): value for name, value in answer.getheaders()}
    found = Answer(answer.status, told, answer.read().decode())
    connection.close()
    return found


ROLE = (
    "Action=CreateRole&Version=2010-05-08&RoleName=theirs&AssumeRolePolicyDocument=%7B%7D&"
    + PRESIGNED.format("iam")
)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TEXT = {"Content-Type": "text/plain"}
FUNCTION = json.dumps(
    {
        "FunctionName": "theirs",
        "Runtime": "python3.14",
        "Role": "arn:aws:iam::000000000000:role/any",
        "Handler": "index.handler",
        "Code": {"ZipFile": ""},
    }
)
SIGNED = "?" + PRESIGNED.format("lambda")
REQUESTS = {
    "a-form-post": ("POST", "/?" + PRESIGNED.format("iam"), FORM, ROLE),
    "a-text-post": ("POST", "/?" + ROLE, TEXT, ""),
    "a-get": ("GET", "/?" + ROLE, {}, ""),
    "a-list": ("GET", "/?Action=ListRoles&Version=2010-05-08&" + PRESIGNED.format("iam"), {}, ""),
    "a-function": ("POST", "/2015-03-31/functions" + SIGNED, TEXT, FUNCTION),
    "an-invocation": (
        "POST",
        "/2015-03-31/functions/theirs/invocations" + SIGNED,
        TEXT,
        "{}",
    ),
    "a-bucket": ("PUT", "/theirs?" + PRESIGNED.format("s3"), {}, ""),
    "a-reset": ("POST", "/_ministack/reset", TEXT, ""),
    "a-setting": ("POST", "/_ministack/config", TEXT, "{}"),
    "the-mail": ("GET", "/_mpe/mail", {}, ""),
    "a-fault": ("POST", "/_mpe/faults", TEXT, '{"label": "x"}'),
    "a-preflight": (
        "OPTIONS",
        "/2015-03-31/functions",
        {
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "authorization",
            "Access-Control-Request-Private-Network": "true",
        },
        "",
    ),
    "a-path-that-is-nothing": ("DELETE", "/..%2f_ministack/reset", {}, ""),
}
SENDERS = {
    "origin": {"Origin": EVIL},
    "null": {"Origin": "null"},
    "referer": {"Referer": f"{EVIL}/page"},
    "neither": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    "rebinding": {"Host": "evil.example"},
}


@pytest.mark.local
@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.parametrize("request_of", REQUESTS)
def test_what_a_page_may_send_is_refused_and_does_nothing(
    empty: LocalCloud, request_of: str, sender: str
) -> None:
    method, path, headers, body = REQUESTS[request_of]
    answer = send(empty, method, path, {**headers, **SENDERS[sender]}, body)
    assert answer.status == 403
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert answer.headers["connection"] == "close", "whose body comes or not, as it was not read"
    if method != "HEAD":
        assert "The local cloud refuses this" in answer.body
    assert made(empty) == {"roles": [], "functions": [], "buckets": []}


def made(cloud: Any) -> dict[str, list[str]]:
    """Return what there is of what a page could have made."""
    roles = cloud.client("iam").list_roles()["Roles"]
    functions = cloud.client("lambda").list_functions()["Functions"]
    buckets = cloud.client("s3").list_buckets()["Buckets"]
    return {
        "roles": [one["RoleName"] for one in roles if one["RoleName"] == "theirs"],
        "functions": [one["FunctionName"] for one in functions],
        "buckets": [one["Name"] for one in buckets],
    }


@pytest.mark.local
@pytest.mark.parametrize("request_of", ["a-form-post", "a-text-post", "a-get", "a-list"])
def test_the_same_of_a_program_is_served(empty: LocalCloud, request_of: str) -> None:
    """So it is the sender that is refused above, and not the request."""
    method, path, headers, body = REQUESTS[request_of]
    answer = send(empty, method, path, headers, body)
    assert answer.status == 200, answer.body
    for role in made(empty)["roles"]:
        empty.client("iam").delete_role(RoleName=role)


@pytest.mark.local
@pytest.mark.parametrize("request_of", ["a-reset", "a-setting", "the-mail", "a-fault"])
def test_a_program_that_does_not_know_the_secret_administers_nothing(
    empty: LocalCloud, request_of: str
) -> None:
    method, path, headers, body = REQUESTS[request_of]
    assert send(empty, method, path, headers, body).status == 403
    known = {**headers, SECRET: empty.secret}
    assert send(empty, method, path, known, body).status == 200


@pytest.mark.local
def test_no_answer_can_be_read_by_a_page_or_is_one(empty: LocalCloud) -> None:
    answer = send(empty, "GET", "/?Action=ListRoles&" + PRESIGNED.format("iam"), {})
    assert answer.status == 200
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert answer.headers["content-security-policy"] == "sandbox"


@pytest.mark.local
def test_a_bucket_can_be_named_in_the_host(empty: LocalCloud) -> None:
    """As the SDKs do by themselves where the endpoint is a name that they do not know."""
    s3 = empty.client("s3")
    s3.create_bucket(Bucket="named")
    named = boto3.client(
        "s3",
        endpoint_url=f"http://localhost:{empty.port}",
        region_name=empty.region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(s3={"addressing_style": "virtual"}),
    )
    url = named.generate_presigned_url("get_object", Params={"Bucket": "named", "Key": "_SUCCESS"})
    assert url.startswith(f"http://named.localhost:{empty.port}/_SUCCESS?")
    s3.put_object(Bucket="named", Key="_SUCCESS", Body=b"there")
    path = url.partition(str(empty.port))[2]
    answer = send(empty, "GET", path, {"Host": f"named.localhost:{empty.port}"})
    assert (answer.status, answer.body) == (200, "there")
    s3.delete_object(Bucket="named", Key="_SUCCESS")
    s3.delete_bucket(Bucket="named")


ENVIRONMENT = """
import os
def handler(event, context):
    return dict(os.environ)
"""


@pytest.mark.local
def test_functions_do_not_know_the_secret(empty: LocalCloud) -> None:
    function = function_in(empty, "environment", ENVIRONMENT)
    told = empty.client("lambda").invoke(FunctionName=function)["Payload"].read().decode()
    empty.client("lambda").delete_function(FunctionName=function)
    assert "GATEWAY_PORT" in told
    assert empty.secret not in told
