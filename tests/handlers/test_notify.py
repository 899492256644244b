"""People are told by a topic: each protocol in its words, with what subscribers filter by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from mpe.aws.clients import client
from mpe.aws.events import CONFIG_REJECTED, RUN_CHANGED
from mpe.handlers import notify
from mpe.handlers.settings import LOGGER
from mpe.model.messages import message_for
from tests import clients
from tests.handlers.test_functions import ACCOUNT, REGION, Context, Log
from tests.handlers.test_functions import log as log
from tests.model.test_usage import DETAIL

FAILURE = {"Resource": "Filter", "Name": "f", "Path": "$.filters[0]", "Error": "E", "Reason": "no"}
FAILED = {**DETAIL, "Stack": "Films", "Failures": [{**FAILURE, "Remedy": "Mend it."}]}
DONE = {**FAILED, "Status": "SUCCEEDED", "Failures": [], "Failed": 0}
PROBLEM = {"path": "$.x", "message": "unknown", "remedy": ""}
REJECTED = {"Bucket": "data", "Key": "train/films/config.json", "VersionId": "1", "Stack": "Films",
            "Total": 1, "Problems": [PROBLEM]}  # fmt: skip


@dataclass(frozen=True)
class Topic:
    """A topic as moto has it, with a queue that subscribes to it."""

    queue: str

    def tell(self, kind: str, detail: dict[str, Any]) -> dict[str, Any]:
        """Let the function tell of an event of the bus."""
        LOGGER.set_correlation_id(None)
        event = {"id": "event-1", "detail-type": kind, "region": REGION, "detail": detail}
        return notify.handler(event, Context())  # type: ignore[arg-type]

    def received(self) -> list[dict[str, Any]]:
        """Return what came to the queue since it was looked into last."""
        queues = clients.client("sqs")
        found = queues.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        for one in found.get("Messages", ()):
            queues.delete_message(QueueUrl=self.queue, ReceiptHandle=one["ReceiptHandle"])
        return [json.loads(one["Body"]) for one in found.get("Messages", ())]


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Iterator[Topic]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("TELL", "everything")
    client.cache_clear()
    with mock_aws():
        topics = clients.client("sns")
        topic = topics.create_topic(Name="told")["TopicArn"]
        queue = clients.client("sqs").create_queue(QueueName="heard")["QueueUrl"]
        endpoint = f"arn:aws:sqs:{REGION}:{ACCOUNT}:heard"
        topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=endpoint)
        monkeypatch.setenv("SNS_TOPIC_ARN", topic)
        yield Topic(queue)
    client.cache_clear()


def test_an_event_is_told_in_the_words_of_the_protocol_and_may_be_filtered_by_its_status(
    topic: Topic, log: Log
) -> None:
    answer = topic.tell(RUN_CHANGED, FAILED)
    (told,) = topic.received()
    message = message_for(RUN_CHANGED, FAILED, region=REGION)
    assert (told["MessageId"], told["Subject"]) == (answer["messageId"], message.subject)
    assert json.loads(told["Message"])["Run"] == FAILED["Run"], "a queue is told the facts"
    assert told["MessageAttributes"] == {
        "status": {"Type": "String", "Value": "FAILED"},
        "group": {"Type": "String", "Value": "secret-films"},
        "kind": {"Type": "String", "Value": "config"},
    }
    line = log.line("notified")
    assert (line["subject"], line["correlation_id"]) == (message.subject, FAILED["Run"])


def test_what_is_told_of_no_run_is_found_in_the_log_by_its_event(topic: Topic, log: Log) -> None:
    topic.tell(CONFIG_REJECTED, REJECTED)
    assert log.line("notified")["correlation_id"] == "event-1"


@pytest.mark.parametrize(("tell", "told"), [("everything", 2), ("failures", 1)])
def test_who_wants_to_hear_of_failures_alone_is_told_of_no_other_run(
    topic: Topic, monkeypatch: pytest.MonkeyPatch, tell: str, told: int
) -> None:
    monkeypatch.setenv("TELL", tell)
    for detail in (FAILED, DONE):
        topic.tell(RUN_CHANGED, detail)
    assert len(topic.received()) == told


def test_of_what_is_not_told_the_log_has_what_it_was(topic: Topic, log: Log) -> None:
    idle = {**DONE, "Task": "import", "Changed": 0}
    assert topic.tell(RUN_CHANGED, idle) == {"messageId": None}
    assert topic.received() == []
    found = {"status": "SUCCEEDED", "group": "secret-films", "kind": "import"}
    assert log.line("not told")["attributes"] == found


def test_what_the_topic_did_not_take_is_an_error_and_not_logged_as_told(
    topic: Topic, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNS_TOPIC_ARN", f"arn:aws:sns:{REGION}:{ACCOUNT}:gone")
    with pytest.raises(ClientError, match="NotFound"):
        topic.tell(RUN_CHANGED, FAILED)
    assert log.lines == []
