"""The stack: what `cdk deploy` brings to an account."""

from __future__ import annotations

from typing import Any

from aws_cdk import (
    ArnFormat,
    Aws,
    CfnCondition,
    CfnOutput,
    CfnParameter,
    Duration,
    Fn,
    RemovalPolicy,
    Stack,
)
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from mpe.infrastructure.ensure import EnsureFunction
from mpe.infrastructure.functions import HandlerFunction, Package
from mpe.infrastructure.monitoring import Monitoring
from mpe.infrastructure.notifications import Notifications
from mpe.infrastructure.provisioning import ProvisioningWorkflow
from mpe.infrastructure.reasons import accept, accept_wildcard
from mpe.infrastructure.scheduling import ScheduledTasks, Schedules
from mpe.infrastructure.service_role import ServiceRole
from mpe.infrastructure.storage import DataBucket, GroupTable
from mpe.infrastructure.usage import Usage
from mpe.model.service.spec import SPECS

FEATURE_FLAGS: dict[str, Any] = {
    "@aws-cdk/aws-iam:minimizePolicies": True,
    "@aws-cdk/aws-iam:standardizedServicePrincipals": True,
    "@aws-cdk/aws-lambda:recognizeLayerVersion": True,
    "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True,
    "@aws-cdk/core:checkSecretUsage": True,
    "@aws-cdk/core:enablePartitionLiterals": True,
    "@aws-cdk/core:target-partitions": ["aws", "aws-cn"],
}
"""CDK's feature flags, here and not in cdk.json so that every way to synthesize agrees."""

CONFIGS = "train/*.json"
"""The keys at which an upload is a config."""


class PersonalizedExperiences(Stack):
    """Maintain dataset groups of Amazon Personalize from configs uploaded to a bucket."""

    def __init__(self, scope: Construct, id: str, **options: Any) -> None:
        super().__init__(scope, id, **options)
        self._parameters()
        self.package = Package(self, "Package")
        self.bucket = DataBucket(self, "Data")
        self.bucket.let_service_in(Aws.ACCOUNT_ID)
        self.turns = GroupTable(self, "Turns")
        self.ledger = GroupTable(self, "Ledger")
        self.bus = events.EventBus(
            self,
            "Bus",
            # CDK would give it one name for good, which two stacks would fight over.
            event_bus_name=f"PersonalizeChanges-{Fn.select(2, Fn.split('/', Aws.STACK_ID))}",
            description="Personalize state changes",
        )
        self.undelivered = self._dead_letters()
        self.service_role = ServiceRole(
            self,
            "ServiceRole",
            bucket=self.bucket,
            kms_key_arn=self.kms_key_arn.value_as_string,
            has_key=self.has_key,
        )
        self.notifications = Notifications(
            self,
            "Notifications",
            package=self.package,
            bus=self.bus,
            undelivered=self.undelivered,
            email=self.email.value_as_string,
            has_email=self.has_email,
        )
        self.schedules = Schedules(
            self,
            "Schedules",
            package=self.package,
            bucket=self.bucket,
            undelivered=self.undelivered,
        )
        self.begin = self._begin()
        self.workflow = ProvisioningWorkflow(
            self,
            "Provisioning",
            begin=self.begin,
            finish=self._finishing("Finish", "finish", "Tell how a run went"),
            keep_schedules=self.schedules.keep,
            functions={noun: self._ensure(noun) for noun in SPECS},
        )
        self.tasks = ScheduledTasks(
            self,
            "ScheduledTasks",
            package=self.package,
            schedules=self.schedules,
            workflow=self.workflow,
        )
        self._let_ask_after_runs(self.begin)
        self._tell_of_killed_runs(
            self._finishing("Bury", "bury", "Tell of a run that was killed", self.undelivered)
        )
        self._run_on_upload(self._configure())
        Monitoring(
            self,
            "Monitoring",
            topic=self.notifications.topic,
            undelivered=self.undelivered,
            schedule_group=self.schedules.name,
            machines=[self.workflow.machine, self.tasks.machine],
        )
        Usage(self, "Usage", package=self.package, bus=self.bus)
        self._outputs()

    def _parameters(self) -> None:
        self.email = CfnParameter(
            self,
            "Email",
            default="",
            description="Who is told of the outcome of every run (optional)",
            allowed_pattern=r"^$|^[^@\s]+@[^@\s]+\.[^@\s]+$",
            constraint_description="must be empty or an email address",
        )
        self.kms_key_arn = CfnParameter(
            self,
            "PersonalizeKmsKeyArn",
            default="",
            description="The KMS key of encrypted dataset groups (optional)",
            allowed_pattern=r"^$|^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key/.+$",
            constraint_description="must be empty or the ARN of a KMS key",
        )
        self.has_email = CfnCondition(
            self,
            "HasEmail",
            expression=Fn.condition_not(Fn.condition_equals(self.email, "")),
        )
        self.has_key = CfnCondition(
            self,
            "HasKmsKey",
            expression=Fn.condition_not(Fn.condition_equals(self.kms_key_arn, "")),
        )

    def _dead_letters(self) -> sqs.Queue:
        """Keep events that could not be delivered."""
        queue = sqs.Queue(
            self,
            "Undelivered",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            removal_policy=RemovalPolicy.DESTROY,
        )
        accept(queue, "AwsSolutions-SQS3", "It is the dead-letter queue of the event rules.")
        return queue

    def _ensure(self, noun: str) -> EnsureFunction:
        return EnsureFunction(
            self,
            SPECS[noun],
            package=self.package,
            bucket=self.bucket,
            ledger=self.ledger,
            bus=self.bus,
            service_role=self.service_role,
            environment={
                "LEDGER_TABLE": self.ledger.table_name,
                "EVENT_BUS": self.bus.event_bus_name,
                "STACK": Aws.STACK_NAME,
            },
        )

    def _begin(self) -> HandlerFunction:
        function = HandlerFunction(
            self,
            "Begin",
            package=self.package,
            handler="begin",
            description="Wait for a run's turn in its dataset group",
            environment={
                "TURNS_TABLE": self.turns.table_name,
                "TASKS_TABLE": self.schedules.table.table_name,
            },
        )
        function.allow(
            ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"],
            [self.turns.table_arn],
        )
        function.allow(["dynamodb:GetItem"], [self.schedules.table.table_arn])
        function.allow(
            ["s3:GetObject"],
            [self.bucket.arn_for_objects("state/*")],
            because="Reads the desired state of whichever dataset group has a run.",
        )
        return function

    def _finishing(
        self, id: str, handler: str, description: str, undelivered: sqs.IQueue | None = None
    ) -> HandlerFunction:
        """Return a function that tells how a run went and gives its turn back."""
        function = HandlerFunction(
            self,
            id,
            package=self.package,
            handler=handler,
            description=f"{description} and give its turn back",
            environment={
                "TURNS_TABLE": self.turns.table_name,
                "LEDGER_TABLE": self.ledger.table_name,
                "EVENT_BUS": self.bus.event_bus_name,
                "STACK": Aws.STACK_NAME,
            },
            undelivered=undelivered,
        )
        function.allow(
            ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"],
            [self.turns.table_arn],
        )
        function.allow(["dynamodb:Query"], [self.ledger.table_arn])
        function.allow(["events:PutEvents"], [self.bus.event_bus_arn])
        return function

    def _tell_of_killed_runs(self, function: HandlerFunction) -> None:
        """Report the runs that could not do it themselves: stopped, out of time, or broken down.

        Most runs that failed have reported it; nothing is told twice.
        """
        events.Rule(
            self,
            "Killed",
            description="Tells of runs that could not report how they ended",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "status": ["ABORTED", "FAILED", "TIMED_OUT"],
                    "stateMachineArn": [self.workflow.machine.state_machine_arn],
                },
            ),
            targets=[
                targets.LambdaFunction(
                    function, dead_letter_queue=self.undelivered, retry_attempts=8
                )
            ],
        )

    def _let_ask_after_runs(self, function: HandlerFunction) -> None:
        """Let a run ask whether the one that has the turn is still alive.

        The workflow calls this function, so the permission is a policy of its own: in the
        role's default policy it would make a circle.
        """
        executions = self.format_arn(
            service="states",
            resource="execution",
            resource_name=f"{self.workflow.machine.state_machine_name}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        assert function.role is not None
        policy = iam.Policy(
            self,
            "AskAfterRuns",
            roles=[function.role],
            statements=[
                iam.PolicyStatement(actions=["states:DescribeExecution"], resources=[executions])
            ],
        )
        accept_wildcard(policy, executions, "Runs are named as they start.")

    def _configure(self) -> HandlerFunction:
        function = HandlerFunction(
            self,
            "Configure",
            package=self.package,
            handler="configure",
            description="Check an uploaded config and start its run",
            environment={
                "TURNS_TABLE": self.turns.table_name,
                "EVENT_BUS": self.bus.event_bus_name,
                "STACK": Aws.STACK_NAME,
                "PERSONALIZE_ROLE": self.service_role.role_arn,
                "WORKFLOW": self.workflow.machine.state_machine_arn,
            },
            timeout=Duration.minutes(2),
            memory_size=1024,
            undelivered=self.undelivered,
        )
        function.allow(
            ["s3:GetObjectVersion"],
            [self.bucket.arn_for_objects(CONFIGS)],
            because="Reads the config of any dataset group, in the version that was uploaded.",
        )
        function.allow(
            ["s3:PutObject"],
            [self.bucket.arn_for_objects("state/*")],
            because="Writes the desired state of any dataset group.",
        )
        function.allow(["dynamodb:PutItem"], [self.turns.table_arn])
        function.allow(["events:PutEvents"], [self.bus.event_bus_arn])
        function.allow(["states:StartExecution"], [self.workflow.machine.state_machine_arn])
        return function

    def _run_on_upload(self, function: HandlerFunction) -> None:
        events.Rule(
            self,
            "Upload",
            description="Starts a run for each config that is uploaded",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [self.bucket.bucket_name]},
                    "object": {"key": [{"wildcard": CONFIGS}]},
                },
            ),
            targets=[
                targets.LambdaFunction(
                    function, dead_letter_queue=self.undelivered, retry_attempts=8
                )
            ],
        )

    def _outputs(self) -> None:
        for name, value, description in (
            ("DataBucket", self.bucket.bucket_name, "Upload configs and CSVs here"),
            ("PersonalizeRole", self.service_role.role_arn, "Amazon Personalize acts in it"),
            ("Workflow", self.workflow.machine.state_machine_arn, "The provisioning workflow"),
            ("Topic", self.notifications.topic.topic_arn, "Tells of every run"),
            ("EventBus", self.bus.event_bus_name, "Has an event for every state change"),
            ("TurnsTable", self.turns.table_name, "Runs, and whose turn it is"),
            ("LedgerTable", self.ledger.table_name, "What each run did"),
            ("TasksTable", self.schedules.table.table_name, "Scheduled tasks"),
            ("ScheduleGroup", self.schedules.name, "The schedules"),
            ("TaskWorkflow", self.schedules.machine_arn, "Runs a scheduled task"),
        ):
            CfnOutput(self, name, value=value, description=description)
