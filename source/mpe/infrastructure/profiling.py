"""What counts data that is larger than the import step can count: one function, and its rule."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from mpe.infrastructure.functions import HandlerFunction
from mpe.infrastructure.notifications import SOURCE
from mpe.infrastructure.rooms import Rooms

DATA_TO_COUNT = "Personalize Data To Count"
MEMORY = 2048
"""MB: two million ids take 1 GB when they are halved, and a processor goes with 1,769 MB
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html)."""


class Profile(HandlerFunction):
    """Counts a dataset's CSVs for an import step, within what Lambda gives a function at most.

    It is asked on the stack's bus, so that nobody waits for its answer but in the ledger.
    """

    def __init__(self, scope: Construct, rooms: Rooms, *, undelivered: sqs.IQueue) -> None:
        super().__init__(
            scope,
            "Profile",
            package=rooms.package,
            handler="profiling",
            description="Count the data of an import that is large",
            environment={"LEDGER_TABLE": rooms.ledger.table_name},
            timeout=Duration.minutes(15),
            memory_size=MEMORY,
            undelivered=undelivered,
        )
        self.allow(["dynamodb:GetItem", "dynamodb:PutItem"], [rooms.ledger.table_arn])
        self.allow(
            ["s3:GetObject"],
            [rooms.bucket.arn_for_objects("train/*")],
            because="Counts the CSVs of whichever dataset is imported.",
        )
        self.allow(
            ["s3:ListBucket"], [rooms.bucket.bucket_arn], StringLike={"s3:prefix": "train/*"}
        )
        events.Rule(
            self.stack,
            "Count",
            event_bus=rooms.bus,
            description="Has large data counted",
            event_pattern=events.EventPattern(source=[SOURCE], detail_type=[DATA_TO_COUNT]),
            targets=[targets.LambdaFunction(self, dead_letter_queue=undelivered, retry_attempts=2)],
        )
