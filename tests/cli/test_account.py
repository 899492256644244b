"""Which stack is asked, and what is said where nobody answers as AWS would."""

from __future__ import annotations

import contextlib
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import botocore.exceptions as sdk
import click
import pytest
from click.testing import CliRunner, Result

from mpe.cli.account import Account, chosen, telling
from mpe.cli.main import mpe
from mpe.cli.refusals import next_step
from mpe.cli.terminal import fits, wrapped
from tests.conftest import MOVIELENS, served

SETTINGS = ("stack", "region", "profile", "endpoint_url")
KEYS = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_MAX_ATTEMPTS": "1",
    "AWS_DEFAULT_REGION": "us-east-1",
}
ANSWERS = {
    "html": (200, b"<html><body>It works!</body></html>"),
    "json": (200, b"{}"),
    "list": (200, b"[1]"),
    "nothing": (200, b""),
    "text": (200, b"hello"),
    "not-found": (404, b"<h1>404</h1>"),
    "broken": (500, b"oops"),
    "odd-xml": (200, b"<DescribeStacksResponse/>"),
    "bytes": (200, b"\xff\xfe\x00"),
}
COMMANDS = [
    ("status",),
    ("runs",),
    ("runs", "show", "one"),
    ("logs", "one"),
    ("watch", "films"),
    ("export", "films"),
    ("destroy", "films"),
    ("schedule", "next"),
    ("plan", str(MOVIELENS / "config.json")),
    ("check-data", str(MOVIELENS / "config.json"), "--path", "s3://bucket/films"),
]


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder and an environment in which nothing is set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for name in SETTINGS:
        monkeypatch.delenv(f"MPE_{name.upper()}", raising=False)
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)


def run(*words: str) -> Result:
    return CliRunner().invoke(mpe, words, env=KEYS)


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words)[:20])
@pytest.mark.parametrize("kind", ANSWERS)
def test_whatever_answers_at_the_endpoint_is_told_in_a_line_or_two(
    words: tuple[str, ...], kind: str
) -> None:
    code, body = ANSWERS[kind]

    class Anything(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            with contextlib.suppress(ValueError):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with served(Anything) as endpoint:
        result = run(*words, "--endpoint-url", endpoint)
    assert result.exit_code
    assert isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    assert len(result.output.strip().splitlines()) <= 30


STEPS = [
    (sdk.NoRegionError(), "--region"),
    (sdk.NoCredentialsError(), "mpe local up"),
    (sdk.PartialCredentialsError(provider="env", cred_var="x"), "aws configure"),
    (sdk.ProfileNotFound(profile="films"), "aws configure list-profiles"),
    (sdk.UnauthorizedSSOTokenError(), "aws sso login"),
    (sdk.TokenRetrievalError(provider="sso", error_msg="x"), "aws sso login"),
    (sdk.EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "mpe local status"),
    (sdk.ConnectTimeoutError(endpoint_url="http://127.0.0.1:1"), "proxy"),
    (sdk.ReadTimeoutError(endpoint_url="http://127.0.0.1:1"), "proxy"),
]
CODES = [
    ("ExpiredToken", "", "aws sso login"),
    ("ExpiredTokenException", "", "aws sso login"),
    ("InvalidClientTokenId", "", "not known there"),
    ("UnrecognizedClientException", "", "not known there"),
    ("SignatureDoesNotMatch", "", "not known there"),
    ("AccessDenied", "", "Your own credentials"),
    ("AccessDeniedException", "", "Your own credentials"),
    ("Throttling", "", "again"),
    ("ValidationError", "Stack with id Films does not exist", "aws cloudformation list-stacks"),
]


@pytest.mark.parametrize(("error", "step"), STEPS, ids=lambda value: type(value).__name__)
def test_what_the_sdk_says_has_a_next_step(error: Exception, step: str) -> None:
    with pytest.raises(click.ClickException) as told, telling(None):
        raise error
    assert str(error) in told.value.message
    assert step in told.value.message


@pytest.mark.parametrize(("code", "message", "step"), CODES)
def test_what_aws_says_has_a_next_step(code: str, message: str, step: str) -> None:
    error = sdk.ClientError({"Error": {"Code": code, "Message": message}}, "DescribeStacks")
    assert step in next_step(error)


def test_what_nobody_knows_a_step_for_has_none() -> None:
    assert next_step(sdk.ClientError({"Error": {"Code": "Odd"}}, "DescribeStacks")) == ""


def test_our_own_fault_keeps_its_stack_trace_where_aws_itself_is_asked() -> None:
    with pytest.raises(KeyError), telling(None):
        raise KeyError("Stacks")


def test_an_option_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mpe.toml").write_text('stack = "Films"\nregion = "eu-west-1"\nprofile = "films"\n')
    below = tmp_path / "configs" / "films"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    monkeypatch.setenv("MPE_REGION", "eu-west-2")
    account = chosen(None, "others", None, None)
    assert (account.stack, account.region, account.profile) == ("Films", "eu-west-2", "others")


def test_without_settings_it_is_the_default_stack() -> None:
    assert chosen(None, None, "us-east-1", None).stack == "PersonalizedExperiences"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("stack = Films", "is no TOML"),
        ('stak = "Films"', "stak is no setting. There are: stack, region, profile, endpoint_url."),
        ("stack = 3", "stack must be a text in quotes"),
    ],
)
def test_a_file_of_settings_that_is_wrong_is_told(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "mpe.toml").write_text(text)
    result = run("status")
    assert result.exit_code == 1
    assert told in result.output


def test_a_long_line_is_wrapped_at_words_and_keeps_its_indent() -> None:
    arn = f"arn:aws:personalize:us-east-1:000000000000:campaign/{'a' * 40}"
    lines = wrapped(f"    Campaign live answers at {arn} from now on, and for good.", 40).split(
        "\n"
    )
    assert arn in {line.strip() for line in lines}
    assert all(line.startswith("    ") for line in lines)
    assert all(len(line) <= 40 for line in lines if arn not in line)


def test_a_table_that_would_break_words_is_none() -> None:
    rows = [["GROUP", "WHY"], ["movielens", "not as the config says"]]
    assert fits(rows, 20)
    assert not fits(rows, 14)


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_PERSONALIZE"])
def test_a_service_on_this_machine_is_looked_at_often_whatever_setting_names_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Account("films", region="us-east-1").looks_every == 10
    assert Account("films", endpoint="http://cloud:4566").looks_every == 0.5
    monkeypatch.setenv(name, "http://127.0.0.1:4566")
    assert Account("films", region="us-east-1").looks_every == 0.5
