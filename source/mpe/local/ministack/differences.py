"""All differences between MiniStack and AWS, in the order in which they are made good."""

from __future__ import annotations

from mpe.local.ministack import (
    cloudwatch,
    dynamodb,
    eventbridge,
    functions,
    http,
    iam,
    personalize,
    s3,
    scheduler,
    sns,
    stepfunctions,
    sts,
)
from mpe.local.ministack.difference import Start

BY_SERVICE = {
    "Amazon Personalize": personalize.DIFFERENCES,
    "Amazon DynamoDB": dynamodb.DIFFERENCES,
    "Amazon SNS": sns.DIFFERENCES,
    "Amazon S3": s3.DIFFERENCES,
    "Amazon EventBridge": eventbridge.DIFFERENCES,
    "EventBridge Scheduler": scheduler.DIFFERENCES,
    "IAM": iam.DIFFERENCES,
    "AWS STS": sts.DIFFERENCES,
    "Step Functions": stepfunctions.DIFFERENCES,
    "AWS Lambda": functions.DIFFERENCES,
    "CloudWatch": cloudwatch.DIFFERENCES,
    "HTTP": http.DIFFERENCES,
}


def make_good(start: Start) -> None:
    """Let MiniStack, which is not yet serving, do as AWS wherever it is known to differ."""
    for differences in BY_SERVICE.values():
        for one in differences:
            one.make_good(start)
