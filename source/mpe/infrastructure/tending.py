"""What looks after models between runs: one function, and the rule that starts it."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from mpe.infrastructure.ensure import let_ask
from mpe.infrastructure.functions import HandlerFunction, personalize_arn
from mpe.infrastructure.rooms import Rooms
from mpe.model.service.spec import SPECS

EVERY = Duration.minutes(10)
"""How often it looks."""


class Tend(HandlerFunction):
    """Ends holds that nobody decided on, and measures what waits and what is old.

    One schedule of the stack's own, and not one for each hold: none of it can be lost.
    """

    def __init__(self, scope: Construct, rooms: Rooms, *, undelivered: sqs.IQueue) -> None:
        super().__init__(
            scope,
            "Tend",
            package=rooms.package,
            handler="tend",
            description="Look after the models that are held and served",
            environment={
                "TURNS_TABLE": rooms.turns.table_name,
                "DATA_BUCKET": rooms.bucket.bucket_name,
                **rooms.environment(),
            },
            timeout=Duration.minutes(5),
            undelivered=undelivered,
        )
        self.allow(
            ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"], [rooms.ledger.table_arn]
        )
        self.allow(["dynamodb:GetItem"], [rooms.turns.table_arn])
        self.allow(
            ["s3:GetObject"],
            [rooms.bucket.arn_for_objects("state/*")],
            because="Reads what the newest config of each dataset group asks for.",
        )
        self.allow(["events:PutEvents"], [rooms.bus.event_bus_arn])
        let_ask(self, rooms)
        self._watch()
        recommender = SPECS["Recommender"]
        self.allow(
            [f"personalize:{recommender.describe}"],
            [personalize_arn(self, recommender.iam_resource)],
            because="Users name their recommenders, which the service trains whenever it likes.",
        )
        events.Rule(
            self.stack,
            "Look",
            description="Looks after the models that are held and served",
            schedule=events.Schedule.rate(EVERY),
            targets=[targets.LambdaFunction(self, dead_letter_queue=undelivered, retry_attempts=2)],
        )

    def _watch(self) -> None:
        """Let it look at campaigns that have moved, and move them back."""
        campaign, version = SPECS["Campaign"], SPECS["SolutionVersion"]
        self.allow(
            [f"personalize:{campaign.describe}", f"personalize:{campaign.update}"],
            [personalize_arn(self, campaign.iam_resource)],
            because="Users name their campaigns; those that have moved are watched, and go back.",
        )
        self.allow(
            [f"personalize:{version.describe}"],
            [personalize_arn(self, version.iam_resource)],
            because="Users name their solutions; what a campaign goes back to has to be there.",
        )
        # Of composite alarms nothing is told to who may ask for some alarms alone
        # (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html).
        self.allow(
            ["cloudwatch:GetMetricData", "cloudwatch:DescribeAlarms"],
            ["*"],
            because="Metrics have no resource, and composite alarms are told for all alone.",
        )
