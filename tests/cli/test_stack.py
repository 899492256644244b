"""The commands about a stack: what they refuse, and how that is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs

import click
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from click.testing import CliRunner, Result
from moto import mock_aws

from mpe.aws.schedules import Schedules, Target
from mpe.aws.tasks import Tasks
from mpe.aws.turns import Claim, Turns
from mpe.cli.account import Account
from mpe.cli.apply import _run_of_the_same
from mpe.cli.destroy import Removal
from mpe.cli.follow import Follow, LinkLost
from mpe.cli.main import mpe
from mpe.emulator import MemoryObjects
from mpe.emulator.service import Personalize
from mpe.model.plan.tasks import schedule_name
from mpe.model.service.names import execution_name, version_digest
from tests import clients
from tests.attached import attach
from tests.conftest import MOVIELENS, served

REGION = "us-east-1"
BUCKET = "data"
TABLES = ("TurnsTable", "TasksTable", "LedgerTable")
KEYS = {
    "KeySchema": [
        {"AttributeName": "group", "KeyType": "HASH"},
        {"AttributeName": "record", "KeyType": "RANGE"},
    ],
    "AttributeDefinitions": [
        {"AttributeName": "group", "AttributeType": "S"},
        {"AttributeName": "record", "AttributeType": "S"},
    ],
    "BillingMode": "PAY_PER_REQUEST",
}


STACKS = {
    "PersonalizedExperiences": {
        "DataBucket": BUCKET,
        "ScheduleGroup": "tasks",
        "Workflow": f"arn:aws:states:{REGION}:123456789012:stateMachine:Provision",
        **{name: name for name in TABLES},
    },
    "CDKToolkit": {"BucketName": "assets"},
    "Begun": {},
}
DESCRIBED = """
<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
<DescribeStacksResult><Stacks><member>
<StackId>arn:aws:cloudformation:us-east-1:000000000000:stack/{name}/1</StackId>
<StackName>{name}</StackName><StackStatus>{status}</StackStatus>
<CreationTime>2026-01-01T00:00:00Z</CreationTime><Outputs>{outputs}</Outputs>
<Parameters>{parameters}</Parameters>
</member></Stacks></DescribeStacksResult></DescribeStacksResponse>
"""


class CloudFormation(BaseHTTPRequestHandler):
    """CloudFormation, as far as a description of a stack needs it."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        (name,) = parse_qs(body)["StackName"]
        outputs = "".join(
            f"<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
            for key, value in STACKS[name].items()
        )
        status = "CREATE_COMPLETE" if outputs else "CREATE_IN_PROGRESS"
        answer = (
            DESCRIBED.strip()
            .format(name=name, status=status, outputs=outputs, parameters="")
            .encode()
        )
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def cloudformation() -> Iterator[str]:
    with served(CloudFormation) as endpoint:
        yield endpoint


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, cloudformation: str) -> Iterator[None]:
    """An account with a stack of ours, whose group films had a run, and with other stacks."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", cloudformation)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        clients.client("s3").create_bucket(Bucket=BUCKET)
        tables = clients.tables()
        for name in TABLES:
            tables.create_table(TableName=name, **KEYS)
        turns = Turns(tables.Table("TurnsTable"))
        turns.announce("films", "1", "A")
        turns.record("films", "1", {"status": "SUCCEEDED"})
        turns.record("removed", "2", {"status": "SUCCEEDED"})
        yield


def run(*words: str) -> Result:
    return CliRunner().invoke(mpe, words)


CONFIG = str(MOVIELENS / "config.json")
OF_A_STACK = [
    pytest.param(("runs",), "TurnsTable", id="runs"),
    pytest.param(("status",), "TurnsTable", id="status"),
    pytest.param(("watch", "films"), "TurnsTable", id="watch"),
    pytest.param(("schedule", "list"), "TasksTable", id="schedule-list"),
    pytest.param(("plan", CONFIG), "DataBucket", id="plan"),
    pytest.param(("apply", CONFIG), "TurnsTable", id="apply"),
]


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(("words", "output"), OF_A_STACK)
def test_another_stack_than_ours_is_refused(words: tuple[str, ...], output: str) -> None:
    result = run(*words, "--stack", "CDKToolkit")
    assert result.exit_code == 1
    assert result.output == (
        f"Error: the stack CDKToolkit (CREATE_COMPLETE) has no output {output}: is it this "
        "project's, and is it deployed?\n"
    )


@pytest.mark.usefixtures("account")
def test_a_stack_that_is_still_being_made_is_told() -> None:
    result = run("runs", "--stack", "Begun")
    assert result.exit_code == 1
    assert "the stack Begun (CREATE_IN_PROGRESS) has no output TurnsTable" in result.output


@pytest.mark.parametrize(("words", "_"), OF_A_STACK)
def test_an_endpoint_that_is_none_is_wrong_usage(words: tuple[str, ...], _: str) -> None:
    result = run(*words, "--endpoint-url", "foo")
    assert result.exit_code == 2
    assert "'foo' is no endpoint: it must be http://HOST:PORT, or https" in result.output


def test_an_endpoint_of_the_environment_that_is_none_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "foo")
    result = run("runs", "--region", REGION)
    assert result.exit_code == 1
    assert result.output.startswith("Error: Invalid endpoint: foo. See the environment's AWS_")


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(
    "words", [("runs",), ("status",), ("schedule", "list"), ("schedule", "next")]
)
def test_a_group_that_is_not_known_is_refused_with_those_that_are(words: tuple[str, ...]) -> None:
    result = run(*words, "flims")
    assert result.exit_code == 1
    assert result.output == "Error: there is no config of 'flims'. Dataset groups: films.\n"


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("words", [("runs",), ("schedule", "list"), ("schedule", "next")])
def test_a_group_without_tasks_or_one_that_was_removed_is_known(words: tuple[str, ...]) -> None:
    for group in ("films", "removed"):
        assert run(*words, group).exit_code == 0
    assert [one["run"] for one in json.loads(run("runs", "removed", "--output", "json").output)]


@pytest.mark.usefixtures("account")
def test_what_is_left_of_a_removed_group_is_where_it_is_said_to_be() -> None:
    *_, told = Removal(Account("PersonalizedExperiences"), "removed")._left(None)
    assert "`mpe runs removed`" in told
    assert run("runs", "removed").exit_code == 0


@pytest.mark.usefixtures("account")
def test_a_removal_that_has_lost_its_turn_deletes_nothing_more() -> None:
    turns = Turns(clients.tables().Table("TurnsTable"))
    turns.take(Claim("removed", "run", "execution-1", "A"), datetime.now(UTC))
    clients.client("s3").put_object(Bucket=BUCKET, Key="train/removed/items.csv", Body=b"x")
    removal = Removal(Account("PersonalizedExperiences"), "removed", data=True)
    with pytest.raises(click.ClickException, match="another's now") as refused:
        removal._deletions.keep_turn()
    assert "execution-1" in refused.value.message
    assert clients.client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1


def account_without_groups() -> Account:
    """Return an account in which Amazon Personalize has nothing."""
    account = Account("PersonalizedExperiences")
    attach(Personalize(objects=MemoryObjects()), account.client("personalize"))
    return account


class Interrupted(Removal):
    """A removal during which somebody uploads the config again."""

    def _remove_all(self, found: object) -> None:
        self._turns.announce(self.group, "20990101T000000-new", "F")


@pytest.mark.usefixtures("account")
def test_a_config_that_is_uploaded_during_a_removal_stays_known(
    capsys: pytest.CaptureFixture[str],
) -> None:
    turns = Turns(clients.tables().Table("TurnsTable"))
    turns.announce("twice", "20260101T000000-old", "A")
    account = account_without_groups()
    Interrupted(account, "twice")(None)
    assert turns.newest_run("twice") == "20990101T000000-new"
    assert "its run makes the dataset group anew" in capsys.readouterr().out
    Quiet(account, "twice")(None)
    assert turns.newest_run("twice") is None


class Quiet(Removal):
    """A removal of which only the records are left."""

    def _remove_all(self, found: object) -> None:
        """Remove nothing of the service's."""


@pytest.fixture
def versions() -> int:
    """Two versions of an object of a group that is gone otherwise, and how many there are."""
    s3 = clients.client("s3")
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"old", b"new"):
        s3.put_object(Bucket=BUCKET, Key="train/removed/items.csv", Body=body)
    return 2


@pytest.mark.usefixtures("account", "versions")
def test_older_versions_stay_readable_and_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    removal = Removal(account_without_groups(), "removed", data=True)
    removal.show(None)
    removal(None)
    told = capsys.readouterr().out
    assert f"= 2 older versions in s3://{BUCKET}/train/removed/, still readable" in told
    left = clients.client("s3").list_object_versions(Bucket=BUCKET)
    assert len(left["Versions"]) == 2


@pytest.mark.usefixtures("account", "versions")
def test_older_versions_of_a_group_that_is_gone_are_told_whenever_it_is_destroyed() -> None:
    account = account_without_groups()
    with pytest.raises(click.ClickException) as whole:
        Removal(account, "removed").show(None)
    assert f"= 1 objects in s3://{BUCKET}/train/removed/" in whole.value.message
    older = f"older versions in s3://{BUCKET}/train/removed/, still readable"
    assert f"= 1 {older}" in whole.value.message
    Removal(account, "removed", data=True)(None)
    with pytest.raises(click.ClickException) as emptied:
        Removal(account, "removed", data=True).show(None)
    assert f"= 2 {older}" in emptied.value.message
    assert "mpe destroy removed --data --all-versions" in emptied.value.message
    Removal(account, "removed", data=True, versions=True)(None)
    with pytest.raises(click.ClickException) as gone:
        Removal(account, "removed", data=True).show(None)
    assert "older versions" not in gone.value.message


@pytest.mark.usefixtures("account", "versions")
def test_all_versions_go_where_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    removal = Removal(account_without_groups(), "removed", data=True, versions=True)
    removal.show(None)
    removal(None)
    told = capsys.readouterr().out
    assert f"- 2 versions of objects in s3://{BUCKET}/train/removed/" in told
    left = clients.client("s3").list_object_versions(Bucket=BUCKET)
    assert not left.get("Versions")
    assert not left.get("DeleteMarkers")


@pytest.mark.usefixtures("account")
def test_all_versions_of_data_that_stays_is_a_contradiction() -> None:
    result = run("destroy", "removed", "--all-versions", "--confirm", "removed")
    assert result.exit_code == 2
    assert "--all-versions goes with --data" in result.output


@pytest.mark.usefixtures("account")
def test_a_run_that_is_not_there_is_refused() -> None:
    result = run("watch", "films", "3")
    assert result.exit_code == 1
    assert result.output == "Error: films has no run 3. See `mpe runs films`.\n"


@pytest.mark.usefixtures("account")
def test_a_run_whose_state_is_gone_is_told() -> None:
    result = run("watch", "films", "1")
    assert result.exit_code == 1
    assert result.output == (
        "Error: what the run 1 of films worked towards is not kept any more. "
        "See `mpe runs films`.\n"
    )


@pytest.mark.usefixtures("account")
def test_an_upload_is_a_run_once_its_execution_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    states, turns = clients.client("stepfunctions"), clients.tables().Table("TurnsTable")
    machine = states.create_state_machine(
        name="Provision",
        definition=json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}),
        roleArn="arn:aws:iam::123456789012:role/machine",
    )["stateMachineArn"]
    run = "20260101T000000-0123456789abcdef"
    Turns(turns).announce("films", run, "B")
    pauses = []

    def pause(seconds: float) -> None:
        """Start it meanwhile, as the function does right after it has announced the config."""
        pauses.append(seconds)
        states.start_execution(stateMachineArn=machine, name=execution_name("films", run))

    monkeypatch.setattr("time.sleep", pause)
    follow = Follow(Account("PersonalizedExperiences"), "films")
    assert follow.began("0123456789abcdef") == run
    assert len(pauses) == 1


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(
    ("status", "same"), [(None, False), ("FAILED", False), ("SUCCEEDED", True)]
)
def test_a_config_that_lies_there_is_done_with_only_where_a_run_came_of_it(
    status: str | None, same: bool
) -> None:
    s3, key = clients.client("s3"), "train/uploaded/config.json"
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    sent = s3.put_object(Bucket=BUCKET, Key=key, Body=b"{}")
    run = f"20260101T000000-{version_digest(BUCKET, key, sent['VersionId'])}"
    if status:
        turns = Turns(clients.tables().Table("TurnsTable"))
        turns.record("uploaded", run, {"status": status})
    account = Account("PersonalizedExperiences")
    assert _run_of_the_same(account, "uploaded", BUCKET, key, b"{}") == (run if same else None)
    assert _run_of_the_same(account, "uploaded", BUCKET, key, b"{ }") is None


LOST = EndpointConnectionError(endpoint_url="https://states")
THROTTLED = ClientError(
    {"Error": {"Code": "ThrottlingException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "Any"
)


def account_at_aws() -> Account:
    """Return an account whose client is made before a test takes the time away."""
    account = Account("PersonalizedExperiences", region="us-east-1")
    account.client("personalize")
    return account


@pytest.mark.parametrize("error", [LOST, THROTTLED])
def test_a_lost_link_is_waited_for(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = account_at_aws()
    monkeypatch.setattr("time.sleep", lambda _: None)
    answers = [error, error, "ended"]

    def look() -> str:
        found = answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return str(found)

    assert Follow(account, "films")._kept(look) == "ended"
    assert capsys.readouterr().err.count("The run goes on.") == 1


@pytest.mark.parametrize(
    ("error", "step"),
    [
        (LOST, "See whether the endpoint is right"),
        (ClientError({"Error": {"Code": "ExpiredTokenException"}}, "Any"), "aws sso login"),
    ],
)
def test_a_link_that_stays_lost_is_no_failed_run(
    error: Exception, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = account_at_aws()
    moments = iter(range(0, 10_000, 100))
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr("time.monotonic", lambda: next(moments))

    def look() -> None:
        raise error

    with pytest.raises(LinkLost) as lost:
        Follow(account, "films")._kept(look)
    assert lost.value.exit_code == 4
    assert step in lost.value.message
    assert "The run goes on. See it with `mpe watch films`." in lost.value.message


EVERY = timedelta(days=300)
NAME = schedule_name("films", "import")
TARGET = Target("arn:machine", "arn:aws:iam::000000000000:role/scheduler", "arn:queue")


@pytest.fixture
def schedules(account: None) -> Schedules:
    """A task of films that fires every 300 days, and was run by hand between two fires."""
    client = clients.client("scheduler")
    client.create_schedule_group(Name="tasks")
    schedules = Schedules(client, "tasks")
    run = {"status": "SUCCEEDED", "started": (datetime.now(UTC) - EVERY / 3).isoformat()}
    row = {"kind": "import", "expression": "rate(300 days)", "zone": "UTC", "last": run}
    Tasks(clients.tables().Table("TasksTable")).write("films", "import", **row)
    schedules.put(NAME, "rate(300 days)", "UTC", enabled=True, target=TARGET, given={})
    return schedules


def coming() -> tuple[str | None, list[str]]:
    """Return the next fire as `list` tells it, and those of a year as `next` does."""
    (row,) = json.loads(run("schedule", "list", "films", "--output", "json").output)
    told = run("schedule", "next", "films", "--days", "366", "--output", "json").output
    return row["next"], [fire["at"] for fire in json.loads(told)["fires"]]


def test_a_rate_first_fires_at_its_start_date(schedules: Schedules) -> None:
    first = schedules.first(NAME)
    assert first is not None
    at = first.replace(second=0, microsecond=0).isoformat()
    assert coming() == (at, [at])


def test_a_rate_keeps_its_pace_whatever_is_run_by_hand(schedules: Schedules) -> None:
    client = clients.client("scheduler")
    found = client.get_schedule(Name=NAME, GroupName="tasks")
    names = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    begun = datetime.now(UTC).replace(microsecond=0) - EVERY * 1.5
    client.update_schedule(**{key: found[key] for key in names}, StartDate=begun)
    at = (begun + 2 * EVERY).replace(second=0).isoformat()
    assert coming() == (at, [at])


def test_a_rate_whose_schedule_was_removed_by_hand_does_not_fire(schedules: Schedules) -> None:
    schedules.delete(NAME)
    assert coming() == (None, [])


NEWER = {"version": 99, "needs": 99, "release": "9.0.0"}
"""The mark of what only a newer release can read."""


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("runs", "films"), id="runs"),
        pytest.param(("status",), id="status-of-all"),
        pytest.param(("status", "films"), id="status"),
        pytest.param(("watch", "films", "1"), id="watch"),
        pytest.param(("schedule", "list"), id="schedule-list"),
        pytest.param(("schedule", "show", "films", "import"), id="schedule-show"),
        pytest.param(("schedule", "disable", "films", "import"), id="schedule-disable"),
        pytest.param(("schedule", "next"), id="schedule-next"),
    ],
)
def test_what_only_a_newer_release_can_read_is_told_in_words(words: tuple[str, ...]) -> None:
    tables = clients.tables()
    for table, record in (("TurnsTable", "RUN#1"), ("TasksTable", "import")):
        row = {"group": "films", "record": record, "form": NEWER}
        tables.Table(table).put_item(Item=row)
    body = json.dumps({"form": NEWER})
    clients.client("s3").put_object(Bucket=BUCKET, Key="state/films/1.json", Body=body)
    result = run(*words)
    assert result.exit_code == 1
    assert "was written by release 9.0.0 in form 99" in result.output
    assert "Deploy release 9.0.0 or a newer one again, or upload the config again" in result.output
    assert "Traceback" not in result.output
