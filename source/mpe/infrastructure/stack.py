"""The stack: what `cdk deploy` brings to an account."""

from __future__ import annotations

from typing import Any

from aws_cdk import (
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
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from mpe.infrastructure.ensure import EnsureFunction
from mpe.infrastructure.functions import HandlerFunction, Package
from mpe.infrastructure.monitoring import Monitoring
from mpe.infrastructure.notifications import Notifications
from mpe.infrastructure.people import ModelApprover
from mpe.infrastructure.profiling import Profile
from mpe.infrastructure.provisioning import ProvisioningWorkflow
from mpe.infrastructure.reasons import accept
from mpe.infrastructure.rooms import Rooms
from mpe.infrastructure.runs import Begin, Bury, Configure, Finish, Preflight, Remove
from mpe.infrastructure.scheduling import ScheduledTasks, Schedules
from mpe.infrastructure.service_role import ServiceRole
from mpe.infrastructure.storage import DataBucket, GroupTable, OldVersions
from mpe.infrastructure.tending import Tend
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


class PersonalizedExperiences(Stack):
    """Maintain dataset groups of Amazon Personalize from configs uploaded to a bucket."""

    def __init__(self, scope: Construct, id: str, **options: Any) -> None:
        super().__init__(scope, id, **options)
        self._parameters()
        self._stores()
        self._surroundings()
        rooms = Rooms(self.package, self.bucket, self.turns, self.ledger, self.bus)
        self._runs(rooms)
        self.approver = ModelApprover(self, rooms, machine=self.workflow.machine)
        Monitoring(
            self,
            "Monitoring",
            topic=self.notifications.topic,
            undelivered=self.undelivered,
            schedule_group=self.schedules.name,
            machines={
                "Provisioning": self.workflow.machine,
                "ScheduledTask": self.tasks.machine,
                "Solution": self.workflow.solutions,
            },
            # Not the one that reports use, which comes after: a report that is lost is no loss.
            functions=[one for one in self.node.find_all() if isinstance(one, HandlerFunction)],
        )
        Usage(self, "Usage", package=self.package, bus=self.bus)
        self._outputs()

    def _stores(self) -> None:
        """Make what keeps code, data and records, and the bus that tells of changes."""
        self.package = Package(self, "Package")
        self.bucket = DataBucket(self, "Data", old_versions=OldVersions(self))
        self.bucket.let_service_in()
        self.turns = GroupTable(self, "Turns")
        self.ledger = GroupTable(self, "Ledger")
        self.bus = events.EventBus(
            self,
            "Bus",
            # CDK would give it one name for good, which two stacks would fight over.
            event_bus_name=f"PersonalizeChanges-{Fn.select(2, Fn.split('/', Aws.STACK_ID))}",
            description="Personalize state changes",
        )

    def _surroundings(self) -> None:
        """Make what a run needs around it: the service's role, people's topic, schedules."""
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
            tell=self.tell.value_as_string,
        )
        self.schedules = Schedules(
            self,
            "Schedules",
            package=self.package,
            bucket=self.bucket,
            turns=self.turns,
            ledger=self.ledger,
            undelivered=self.undelivered,
        )

    def _runs(self, rooms: Rooms) -> None:
        """Make the workflows, and the functions that begin and end them."""
        begin = Begin(self, rooms, tasks=self.schedules.table)
        self.workflow = ProvisioningWorkflow(
            self,
            "Provisioning",
            begin=begin,
            preflight=Preflight(self, rooms),
            remove=Remove(self, rooms),
            finish=Finish(self, rooms),
            keep_schedules=self.schedules.keep,
            functions={
                spec.noun: EnsureFunction(self, spec, rooms=rooms, service_role=self.service_role)
                for spec in SPECS.values()
            },
        )
        machine = self.workflow.machine
        self.tasks = ScheduledTasks(
            self,
            "ScheduledTasks",
            package=self.package,
            schedules=self.schedules,
            workflow=self.workflow,
            bus=self.bus,
        )
        begin.let_ask_after_runs(machine)
        Bury(self, rooms, undelivered=self.undelivered).on_killed(machine)
        Tend(self, rooms, undelivered=self.undelivered)
        Profile(self, rooms, undelivered=self.undelivered)
        configure = Configure(
            self,
            rooms,
            machine=machine,
            service_role=self.service_role,
            kms_key_arn=self.kms_key_arn.value_as_string,
            undelivered=self.undelivered,
        )
        configure.on_upload()

    def _parameters(self) -> None:
        self.email = CfnParameter(
            self,
            "Email",
            default="",
            description="Who is told of the outcome of every run (optional)",
            allowed_pattern=r"^$|^[^@\s]+@[^@\s]+\.[^@\s]+$",
            constraint_description="must be empty or an email address",
        )
        self.tell = CfnParameter(
            self,
            "Tell",
            default="all",
            allowed_values=["all", "failures"],
            description="What people are told of: all runs that changed something, or failures",
        )
        self.kms_key_arn = CfnParameter(
            self,
            "PersonalizeKmsKeyArn",
            default="",
            description="The KMS key that dataset groups are created with (optional)",
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
            (
                "ModelApproverPolicy",
                self.approver.managed_policy_arn,
                "Lets people decide of models",
            ),
        ):
            CfnOutput(self, name, value=value, description=description)
