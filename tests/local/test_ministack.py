"""Each assumption about MiniStack's internals, and each difference from AWS made good."""

from __future__ import annotations

import importlib.metadata
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from mpe.local import ministack
from mpe.local.cloud import LocalCloud
from tests.local.conftest import wait_until

pytestmark = pytest.mark.local


def test_the_version_that_is_pinned_is_installed() -> None:
    assert importlib.metadata.version("ministack") == ministack.VERSION
    ministack.check_version()


def test_personalize_answers_at_the_one_endpoint(cloud: LocalCloud) -> None:
    recipes = cloud.client("personalize").list_recipes()["recipes"]
    assert "aws-user-personalization-v2" in {one["name"] for one in recipes}


def test_the_runtime_answers_at_the_same_endpoint(cloud: LocalCloud) -> None:
    runtime = cloud.client("personalize-runtime")
    with pytest.raises(runtime.exceptions.ResourceNotFoundException):
        runtime.get_recommendations(
            campaignArn="arn:aws:personalize:us-east-1:000000000000:campaign/none", userId="u"
        )


CALLS = {
    "personalize": ("list_recipes", {}),
    "personalize-runtime": (
        "get_recommendations",
        {"campaignArn": "arn:aws:personalize:us-east-1:000000000000:campaign/none", "userId": "u"},
    ),
    "personalize-events": (
        "put_events",
        {"trackingId": "t", "sessionId": "s", "eventList": [{"eventType": "e", "sentAt": 1}]},
    ),
}


@pytest.fixture(scope="module")
def nobody(cloud: LocalCloud) -> Iterator[dict[str, str]]:
    """The access key of a user who may do nothing."""
    iam = cloud.client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    yield {
        "aws_access_key_id": key["AccessKeyId"],
        "aws_secret_access_key": key["SecretAccessKey"],
    }
    iam.delete_access_key(UserName="nobody", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="nobody")


@pytest.mark.parametrize("service", CALLS)
@pytest.mark.parametrize(
    ("secret", "code"),
    [
        pytest.param({}, "AccessDeniedException", id="a-user-who-may-nothing"),
        pytest.param(
            {"aws_secret_access_key": "wrong"}, "InvalidSignatureException", id="a-wrong-secret"
        ),
    ],
)
def test_each_of_the_services_knows_its_callers(
    cloud: LocalCloud, nobody: dict[str, str], service: str, secret: dict[str, str], code: str
) -> None:
    operation, parameters = CALLS[service]
    client = boto3.client(
        service, endpoint_url=cloud.endpoint, region_name=cloud.region, **{**nobody, **secret}
    )
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**parameters)
    assert refused.value.response["Error"]["Code"] == code


def test_a_bucket_that_asks_for_tls_can_be_used(cloud: LocalCloud, nobody: dict[str, str]) -> None:
    """`cdk bootstrap` makes such a bucket, and `cdk deploy` uses it in the name of a role.

    Not as the account's root, whom MiniStack lets pass whatever a bucket's policy denies.
    """
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="tls-only")
    places = ["arn:aws:s3:::tls-only", "arn:aws:s3:::tls-only/*"]
    user = f"arn:aws:iam::{cloud.account}:user/nobody"
    allow = {"Effect": "Allow", "Principal": {"AWS": user}, "Action": "s3:*", "Resource": places}
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    deny = {**allow, "Effect": "Deny", "Principal": "*", "Condition": insecure}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow, deny]})
    s3.put_bucket_policy(Bucket="tls-only", Policy=policy)

    theirs = boto3.client("s3", endpoint_url=cloud.endpoint, region_name=cloud.region, **nobody)
    theirs.put_object(Bucket="tls-only", Key="it", Body=b"x")
    assert theirs.get_object(Bucket="tls-only", Key="it")["Body"].read() == b"x"


@pytest.mark.parametrize(
    ("protocol", "to", "subject"),
    [
        ("email", "one@example.com", "S"),
        ("email-json", "two@example.com", "S"),
        ("sms", "+15550100", ""),
    ],
)
def test_a_subscriber_gets_the_words_of_its_protocol(
    cloud: LocalCloud, protocol: str, to: str, subject: str
) -> None:
    sns = cloud.client("sns")
    topic = sns.create_topic(Name=f"told-{protocol}")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=to)
    words = {"default": "d", "email": "for email", "email-json": "{}", "sms": "short"}
    sns.publish(TopicArn=topic, Subject="S", Message=json.dumps(words), MessageStructure="json")
    (mail,) = wait_until(lambda: [one for one in cloud.mail() if one["topic"] == topic])
    body = json.loads(mail["body"])["Message"] if protocol == "email-json" else mail["body"]
    assert (mail["to"], mail["subject"], body) == (to, subject, words[protocol])


def test_a_json_email_is_the_whole_notification(cloud: LocalCloud) -> None:
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="notified")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email-json", Endpoint="one@example.com")
    id = sns.publish(TopicArn=topic, Subject="S", Message="hello")["MessageId"]
    (mail,) = wait_until(lambda: [one for one in cloud.mail() if one["topic"] == topic])
    notification = json.loads(mail["body"])
    assert notification["Timestamp"]
    assert {name: notification[name] for name in ("Type", "MessageId", "TopicArn", "Subject")} == {
        "Type": "Notification",
        "MessageId": id,
        "TopicArn": topic,
        "Subject": "S",
    }


def test_a_subscriber_gets_only_what_passes_the_filter(cloud: LocalCloud) -> None:
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="filtered")["TopicArn"]
    wanted = {"FilterPolicy": json.dumps({"status": ["FAILED"]})}
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="one@example.com", Attributes=wanted)
    for status in ("ACTIVE", "FAILED"):
        attribute = {"DataType": "String", "StringValue": status}
        sns.publish(TopicArn=topic, Message=status, MessageAttributes={"status": attribute})
    mail = wait_until(lambda: [one for one in cloud.mail() if one["topic"] == topic])
    assert [one["body"] for one in mail] == ["FAILED"]


def test_a_mail_without_a_subject_has_the_services_own(cloud: LocalCloud) -> None:
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="untitled")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="one@example.com")
    sns.publish(TopicArn=topic, Message="hello")
    (mail,) = wait_until(lambda: [one for one in cloud.mail() if one["topic"] == topic])
    assert mail["subject"] == "AWS Notification Message"


def test_an_upload_is_told_with_its_version(cloud: LocalCloud) -> None:
    """MiniStack 1.5.33 leaves it out, AWS has it: goes when MiniStack has it too."""
    queue = cloud.client("sqs").create_queue(QueueName="uploads")["QueueUrl"]
    events = cloud.client("events")
    pattern = {"source": ["aws.s3"], "detail": {"object": {"key": ["seen/it"]}}}
    events.put_rule(Name="uploads", EventPattern=json.dumps(pattern))
    arn = f"arn:aws:sqs:{cloud.region}:{cloud.account}:uploads"
    events.put_targets(Rule="uploads", Targets=[{"Id": "q", "Arn": arn}])
    version = cloud.client("s3").put_object(
        Bucket=cloud.outputs["DataBucket"], Key="seen/it", Body=b"x"
    )["VersionId"]

    def received() -> list[dict[str, str]] | None:
        found: list[dict[str, str]] | None = (
            cloud.client("sqs").receive_message(QueueUrl=queue).get("Messages")
        )
        return found

    (message,) = wait_until(received)
    assert json.loads(message["Body"])["detail"]["object"]["version-id"] == version


def test_functions_know_how_fast_the_time_passes_and_nothing_of_the_users_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    another = LocalCloud(speed=50)
    environment = another._server_environment()
    another.stop()
    assert environment["MPE_TIME_SCALE"] == "50"
    assert environment["SFN_WAIT_SCALE"] == "0.02"
    assert "AWS_PROFILE" not in environment
    assert environment["BIND_HOST"] == "127.0.0.1"


def test_iam_knows_a_schedule_in_its_own_group(cloud: LocalCloud) -> None:
    """MiniStack would check it as one of the group called default."""
    iam = cloud.client("iam")
    iam.create_user(UserName="planner")
    mine = f"arn:aws:scheduler:{cloud.region}:{cloud.account}:schedule/mine/*"
    statement = {"Effect": "Allow", "Action": "scheduler:*Schedule", "Resource": mine}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="planner", PolicyName="mine", PolicyDocument=policy)
    key = iam.create_access_key(UserName="planner")["AccessKey"]
    client = boto3.client(
        "scheduler",
        endpoint_url=cloud.endpoint,
        region_name=cloud.region,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    for group in ("mine", "theirs"):
        cloud.client("scheduler").create_schedule_group(Name=group)
    schedule = {
        "Name": "one",
        "ScheduleExpression": "rate(1 day)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": f"arn:aws:sqs:{cloud.region}:{cloud.account}:q", "RoleArn": mine},
    }
    client.create_schedule(GroupName="mine", **schedule)
    assert client.get_schedule(GroupName="mine", Name="one")["Name"] == "one"
    with pytest.raises(ClientError, match="AccessDenied"):
        client.create_schedule(GroupName="theirs", **schedule)
    client.delete_schedule(GroupName="mine", Name="one")


def test_schedules_fire_by_the_hastened_clock(cloud: LocalCloud) -> None:
    """MiniStack alone would take an hour for this one."""
    queue = cloud.client("sqs").create_queue(QueueName="fired")["QueueUrl"]
    scheduler = cloud.client("scheduler")
    scheduler.create_schedule(
        Name="hourly",
        ScheduleExpression="rate(1 hour)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": f"arn:aws:sqs:{cloud.region}:{cloud.account}:fired",
            "RoleArn": f"arn:aws:iam::{cloud.account}:role/any",
            "Input": "fired",
        },
    )
    fired = wait_until(lambda: cloud.client("sqs").receive_message(QueueUrl=queue).get("Messages"))
    assert fired[0]["Body"] == "fired"
    scheduler.delete_schedule(Name="hourly")


def test_only_some_functions_run_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from ministack.services import lambda_svc

    running: list[int] = []
    most: list[int] = []
    together = threading.Barrier(2)

    def execute(function: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
        running.append(1)
        most.append(len(running))
        together.wait(timeout=60)  # so that two do run at the same time, and a third could
        running.pop()
        return event

    monkeypatch.setattr(lambda_svc, "_execute_function_with_config_scope", execute)
    ministack.queue_invocations(2)
    with ThreadPoolExecutor(6) as pool:
        answers = pool.map(
            lambda number: lambda_svc._execute_function_with_config_scope({}, {"n": number}),
            range(6),
        )
        assert [answer["n"] for answer in answers] == list(range(6))
    assert max(most) == 2
