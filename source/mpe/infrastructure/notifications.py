"""Notifications: rules on the bus choose, one function words, a topic delivers."""

from __future__ import annotations

from aws_cdk import CfnCondition
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_solutions_constructs.aws_lambda_sns import LambdaToSns
from constructs import Construct

from mpe.infrastructure.functions import HandlerFunction, Package

SOURCE = "solutions.aws.personalize"
TOLD = ("Maintenance Run State Change", "Configuration Rejected")
"""The events that people are told of."""


class Notifications(Construct):
    """Tell people of the outcome of every run, and of every config that was rejected."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        package: Package,
        bus: events.EventBus,
        undelivered: sqs.IQueue,
        email: str,
        has_email: CfnCondition,
    ) -> None:
        super().__init__(scope, id)
        function = HandlerFunction(
            self,
            "Notify",
            package=package,
            handler="notify",
            description="Tell people of the outcome of a run",
            environment={},
            undelivered=undelivered,
        )
        told = LambdaToSns(self, "Told", existing_lambda_obj=function)
        self.topic: sns.Topic = told.sns_topic
        events.Rule(
            self,
            "Tell",
            event_bus=bus,
            description="Tells people of runs and of rejected configs",
            event_pattern=events.EventPattern(source=[SOURCE], detail_type=list(TOLD)),
            targets=[targets.LambdaFunction(function, dead_letter_queue=undelivered)],
        )
        subscription = sns.CfnSubscription(
            self, "Email", topic_arn=self.topic.topic_arn, protocol="email", endpoint=email
        )
        subscription.cfn_options.condition = has_email
