"""Each assumption about MiniStack's internals, and each difference from AWS made good."""

from __future__ import annotations

import importlib.metadata
import io
import json
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ClientError

from mpe.local import ministack
from mpe.local.cloud import LocalCloud
from tests.local.conftest import SPEED, wait_until

pytestmark = pytest.mark.local


def test_the_version_that_is_pinned_is_installed() -> None:
    assert importlib.metadata.version("ministack") == ministack.VERSION
    ministack.check_version()


def test_personalize_answers_at_the_one_endpoint(cloud: LocalCloud) -> None:
    recipes = cloud.client("personalize").list_recipes(maxResults=100)["recipes"]
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


def test_a_rate_first_fires_at_its_start_date_and_without_one_at_once(cloud: LocalCloud) -> None:
    """MiniStack alone counts from when the schedule was made, by a clock that runs ahead."""
    sqs, scheduler = cloud.client("sqs"), cloud.client("scheduler")
    queue = sqs.create_queue(QueueName="rates")["QueueUrl"]
    arn = f"arn:aws:sqs:{cloud.region}:{cloud.account}:rates"
    role = starting(cloud, arn)
    scheduler.create_schedule_group(Name="rates")
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(days=300)
    began = time.monotonic()
    for name, expression, start in (
        ("later", "rate(1 minute)", {"StartDate": later}),
        ("soon", "rate(300 days)", {}),
    ):
        scheduler.create_schedule(
            Name=name,
            GroupName="rates",
            ScheduleExpression=expression,
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": arn, "RoleArn": role, "Input": json.dumps({"fired": name})},
            **start,
        )

    def received() -> list[dict[str, str]] | None:
        found: list[dict[str, str]] | None = sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10
        ).get("Messages")
        return found

    messages = wait_until(received)
    assert [json.loads(one["Body"])["fired"] for one in messages] == ["soon"]
    told = scheduler.get_schedule(Name="later", GroupName="rates")["StartDate"]
    slip = timedelta(seconds=SPEED * (time.monotonic() - began))
    assert abs(told - later) < timedelta(days=1) + slip, "told by the caller's clock"
    for name in ("later", "soon"):
        scheduler.delete_schedule(Name=name, GroupName="rates")


def starting(cloud: LocalCloud, queue: str) -> str:
    """Return a role in which Scheduler may send to a queue."""
    iam = cloud.client("iam")
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    made = iam.create_role(
        RoleName="rates",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    allow = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName="rates", PolicyName="send", PolicyDocument=policy)
    return str(made["Role"]["Arn"])


def test_a_function_of_the_template_has_its_dead_letter_queue(cloud: LocalCloud) -> None:
    """MiniStack's CloudFormation alone leaves it out."""
    found = {
        one["FunctionName"].split("-")[1]: one.get("DeadLetterConfig", {}).get("TargetArn", "")
        for one in cloud.client("lambda").list_functions(MaxItems=1000)["Functions"]
        if one["FunctionName"].startswith(cloud.stack_name)
    }
    having = {name for name, queue in found.items() if "Undelivered" in queue}
    assert {name[:4] for name in having} == {"Noti", "Bury", "Conf"}


def test_many_sessions_can_be_made_at_once() -> None:
    """MiniStack alone goes through a dict that another thread adds to."""
    from ministack.services import sts

    ministack.guard_sessions()
    for number in range(2000):
        sts.register_session(f"old{number}", {})

    def make(which: int) -> None:
        for number in range(200):
            sts.register_session(f"{which}-{number}", {})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, range(8)))


BROKEN = """
def handler(event, context):
    raise RuntimeError("broken")
"""


def packed(source: str) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("index.py", source)
    return body.getvalue()


def test_a_function_that_a_rule_starts_is_tried_three_times(cloud: LocalCloud) -> None:
    """MiniStack's rules alone would try once and lose the event."""
    queue = cloud.client("sqs").create_queue(QueueName="lost-events")["QueueUrl"]
    functions = cloud.client("lambda")
    function = functions.create_function(
        FunctionName="broken",
        Runtime="python3.14",
        Handler="index.handler",
        Role=functions.list_functions()["Functions"][0]["Role"],
        Code={"ZipFile": packed(BROKEN)},
        DeadLetterConfig={"TargetArn": f"arn:aws:sqs:{cloud.region}:{cloud.account}:lost-events"},
    )
    events = cloud.client("events")
    events.put_rule(Name="broken", EventPattern=json.dumps({"source": ["a.test"]}))
    events.put_targets(Rule="broken", Targets=[{"Id": "f", "Arn": function["FunctionArn"]}])
    events.put_events(Entries=[{"Source": "a.test", "DetailType": "t", "Detail": '{"it": 1}'}])

    (lost,) = wait_until(
        lambda: cloud.client("sqs").receive_message(QueueUrl=queue).get("Messages")
    )
    assert json.loads(lost["Body"])["requestPayload"]["detail"] == {"it": 1}
    logged = cloud.client("logs").filter_log_events(logGroupName="/aws/lambda/broken")["events"]
    assert sum(one["message"].startswith("START") for one in logged) == 3


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
    role = f"arn:aws:iam::{cloud.account}:role/mine"
    statements = [
        {"Effect": "Allow", "Action": "scheduler:*Schedule", "Resource": mine},
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": role},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
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
        "Target": {"Arn": f"arn:aws:sqs:{cloud.region}:{cloud.account}:q", "RoleArn": role},
    }
    client.create_schedule(GroupName="mine", **schedule)
    assert client.get_schedule(GroupName="mine", Name="one")["Name"] == "one"
    with pytest.raises(ClientError, match="AccessDenied"):
        client.create_schedule(GroupName="theirs", **schedule)
    theirs = {**schedule["Target"], "RoleArn": f"{role}-not"}
    with pytest.raises(ClientError, match="iam:PassRole"):
        client.create_schedule(GroupName="mine", **{**schedule, "Target": theirs})
    client.delete_schedule(GroupName="mine", Name="one")


def role_for(cloud: LocalCloud, name: str, service: str, action: str) -> str:
    """Make a role of a service that may take one action on anything."""
    iam = cloud.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [trust]}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))["Role"]
    document["Statement"] = [{"Effect": "Allow", "Action": action, "Resource": "*"}]
    iam.put_role_policy(RoleName=name, PolicyName="it", PolicyDocument=json.dumps(document))
    return str(arn["Arn"])


def test_schedules_fire_by_the_hastened_clock_and_as_their_role_may(cloud: LocalCloud) -> None:
    """MiniStack alone would take an hour for these, and ask no role."""
    scheduler, sqs = cloud.client("scheduler"), cloud.client("sqs")
    roles = {
        "may": role_for(cloud, "may", "scheduler.amazonaws.com", "sqs:SendMessage"),
        "may-not": role_for(cloud, "may-not", "scheduler.amazonaws.com", "sqs:ReceiveMessage"),
        "distrusts": role_for(cloud, "distrusts", "states.amazonaws.com", "sqs:SendMessage"),
    }
    for name, role in roles.items():
        sqs.create_queue(QueueName=name)
        scheduler.create_schedule(
            Name=name,
            ScheduleExpression="rate(1 hour)" if name == "may" else "rate(30 minutes)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={
                "Arn": f"arn:aws:sqs:{cloud.region}:{cloud.account}:{name}",
                "RoleArn": role,
                "Input": name,
            },
        )
    queue = sqs.get_queue_url(QueueName="may")["QueueUrl"]
    fired = wait_until(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
    assert fired[0]["Body"] == "may"
    wait_until(
        lambda: (
            {("may", True), ("may-not", False)}
            <= {(one["role"], one["allowed"]) for one in cloud.calls()}
        )
    )
    for name in ("may-not", "distrusts"):
        queue = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    for name in roles:
        scheduler.delete_schedule(Name=name)


def test_a_workflow_calls_only_what_its_role_may(cloud: LocalCloud) -> None:
    """MiniStack alone would not ask the role."""
    states = cloud.client("stepfunctions")
    function = cloud.client("lambda").list_functions()["Functions"][0]["FunctionArn"]
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function, "Payload": {}},
        "End": True,
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": "Call", "States": {"Call": task}}
    machine = states.create_state_machine(
        name="calls",
        definition=json.dumps(definition),
        roleArn=role_for(cloud, "caller", "states.amazonaws.com", "lambda:GetFunction"),
    )["stateMachineArn"]
    run = states.start_execution(stateMachineArn=machine)["executionArn"]
    ended = wait_until(
        lambda: (
            found
            if (found := states.describe_execution(executionArn=run))["status"] != "RUNNING"
            else None
        )
    )
    assert ended["status"] == "FAILED"
    assert ended["error"] == "Lambda.AWSLambdaException"
    assert "not authorized to perform: lambda:InvokeFunction" in ended["cause"]


def test_a_bucket_of_another_account_than_expected_is_refused(cloud: LocalCloud) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="whose")
    s3.head_bucket(Bucket="whose", ExpectedBucketOwner=cloud.account)
    for call in (
        lambda: s3.head_bucket(Bucket="whose", ExpectedBucketOwner="1" * 12),
        lambda: s3.put_object(Bucket="whose", Key="a", Body=b"", ExpectedBucketOwner="1" * 12),
    ):
        with pytest.raises(ClientError) as refused:
            call()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
