"""Tell people: word an event for each protocol and publish it to the topic."""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from mpe.aws.clients import client, made_in_init
from mpe.handlers.settings import LOGGER, setting
from mpe.model.messages import attributes, message_for, worth_telling

FAILURES = "failures"
"""What the stack's parameter Tell says where people are told of failures alone."""


made_in_init("sns")


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Publish one event of the bus to the topic, worded per protocol.

    https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
    """
    detail = event["detail"]
    LOGGER.set_correlation_id(detail.get("Run") or event["id"])
    if not worth_telling(detail, failures_only=setting("TELL") == FAILURES):
        LOGGER.info("not told", extra={"attributes": attributes(detail)})
        return {"messageId": None}
    message = message_for(event["detail-type"], detail, region=event["region"])
    sent = client("sns").publish(
        TopicArn=setting("SNS_TOPIC_ARN"),
        Subject=message.subject,
        Message=json.dumps(message.by_protocol()),
        MessageStructure="json",
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value}
            for name, value in attributes(detail).items()
        },
    )
    LOGGER.info("notified", extra={"subject": message.subject})
    return {"messageId": sent["MessageId"]}
