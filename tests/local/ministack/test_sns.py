"""What a topic's subscribers among people get."""

from __future__ import annotations

import json

import pytest

from mpe.local.cloud import LocalCloud
from tests.local.conftest import wait_until
from tests.local.ministack.conftest import Alone

pytestmark = pytest.mark.local


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


def test_alone_no_mail_is_sent_or_kept(alone: Alone) -> None:
    """MiniStack keeps what SES sends, and text messages to a number that no topic has."""
    sns = alone.client("sns")
    topic = sns.create_topic(Name="told")["TopicArn"]
    for protocol, to in (("email", "one@example.com"), ("sms", "+15550100")):
        sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=to)
    sns.publish(TopicArn=topic, Message="something to tell")
    sns.publish(PhoneNumber="+15550199", Message="to a number")
    kept = alone.page("/_ministack/ses/messages") + alone.page("/_ministack/sns/sms-messages")
    assert "to a number" in kept
    assert "something to tell" not in kept
