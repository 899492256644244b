"""Notifications: rules on the bus choose, one function words, a topic delivers."""

from __future__ import annotations

from aws_cdk import ArnFormat, Aws, CfnCondition, RemovalPolicy, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_solutions_constructs.aws_lambda_sns import LambdaToSns
from constructs import Construct

from mpe.infrastructure.functions import HandlerFunction, Package
from mpe.infrastructure.reasons import accept

SOURCE = "solutions.aws.personalize"
RUNS = "Maintenance Run State Change"
TOLD = (
    RUNS,
    "Maintenance Run Waits",
    "Configuration Rejected",
    "Personalize Model Expired",
    "Personalize Campaign Doubted",
    "Personalize Campaign Drifted",
    "Personalize Campaign Failing",
)
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
        tell: str,
    ) -> None:
        super().__init__(scope, id)
        function = HandlerFunction(
            self,
            "Notify",
            package=package,
            handler="notify",
            description="Tell people of the outcome of a run",
            environment={"TELL": tell},
            undelivered=undelivered,
        )
        key = self._key()
        told = LambdaToSns(self, "Told", existing_lambda_obj=function, encryption_key=key)
        self.topic: sns.Topic = told.sns_topic
        self._let_alarms_in(key)
        assert function.role is not None
        accept(
            function.role,
            "AwsSolutions-IAM5[Action::kms:GenerateDataKey*]",
            "CDK's own words for a publisher to an encrypted topic; it is this one key.",
        )
        events.Rule(
            self,
            "Tell",
            event_bus=bus,
            description="Tells people of runs, of rejected configs and of holds that end",
            event_pattern=events.EventPattern(source=[SOURCE], detail_type=list(TOLD)),
            targets=[targets.LambdaFunction(function, dead_letter_queue=undelivered)],
        )
        subscription = sns.CfnSubscription(
            self, "Email", topic_arn=self.topic.topic_arn, protocol="email", endpoint=email
        )
        subscription.cfn_options.condition = has_email

    def _key(self) -> kms.Key:
        """Return a key of the stack's own for the topic.

        An alarm cannot use the AWS managed one, whose policy nobody can change:
        https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns
        """
        return kms.Key(
            self,
            "Key",
            description="Encrypts what the topic tells",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.DESTROY,  # a topic keeps nothing
        )

    def _let_alarms_in(self, key: kms.Key) -> None:
        """Let the alarms of this account publish, which the topic's and the key's policy decide.

        https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
        """
        alarms = Stack.of(self).format_arn(
            service="cloudwatch",
            resource="alarm",
            resource_name=f"{Aws.STACK_NAME}-*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        for policy, actions, resource in (
            (key, ["kms:Decrypt", "kms:GenerateDataKey*"], "*"),
            (self.topic, ["sns:Publish"], self.topic.topic_arn),
        ):
            policy.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="AlarmsOfThisStack",
                    principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                    actions=actions,
                    resources=[resource],
                    conditions={
                        "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                        "ArnLike": {"aws:SourceArn": alarms},
                    },
                )
            )
