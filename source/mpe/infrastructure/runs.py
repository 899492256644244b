"""The functions of a run, from the upload of its config to its report.

Each class is one function whole: its environment, what it may do and, where a rule starts it,
the rule.
"""

from __future__ import annotations

from aws_cdk import ArnFormat, Aws, Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from mpe.infrastructure.functions import HandlerFunction, personalize_arn
from mpe.infrastructure.reasons import accept_wildcard
from mpe.infrastructure.rooms import Rooms
from mpe.infrastructure.service_role import ServiceRole
from mpe.model.plan.removals import GOES
from mpe.model.service.spec import SPECS, ResourceSpec

CONFIGS = "train/*.json"
"""The keys at which an upload is a config."""
DELIVERIES = 8
"""How often an event is delivered again that Lambda did not take."""


class Configure(HandlerFunction):
    """Checks each config that is uploaded, and starts its run."""

    def __init__(
        self,
        scope: Construct,
        rooms: Rooms,
        *,
        machine: sfn.IStateMachine,
        service_role: ServiceRole,
        kms_key_arn: str,
        undelivered: sqs.IQueue,
    ) -> None:
        super().__init__(
            scope,
            "Configure",
            package=rooms.package,
            handler="configure",
            description="Check an uploaded config and start its run",
            environment={
                "TURNS_TABLE": rooms.turns.table_name,
                "EVENT_BUS": rooms.bus.event_bus_name,
                "STACK": Aws.STACK_NAME,
                "PERSONALIZE_ROLE": service_role.role_arn,
                "PERSONALIZE_KMS_KEY": kms_key_arn,
                "WORKFLOW": machine.state_machine_arn,
            },
            timeout=Duration.minutes(2),
            memory_size=1024,
            undelivered=undelivered,
        )
        self._bucket, self._undelivered = rooms.bucket, undelivered
        self.allow(
            ["s3:GetObjectVersion"],
            [rooms.bucket.arn_for_objects(CONFIGS)],
            because="Reads the config of any dataset group, in the version that was uploaded.",
        )
        # Who may not list is told 403 of an object that is gone, and not 404, whatever the key
        # (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html).
        self.allow(["s3:ListBucket"], [rooms.bucket.bucket_arn])
        self.allow(
            ["s3:PutObject"],
            [rooms.bucket.arn_for_objects("state/*")],
            because="Writes the desired state of any dataset group.",
        )
        assert self.role is not None
        rooms.bucket.keep_state_for(self.role)
        self.allow(["dynamodb:GetItem", "dynamodb:PutItem"], [rooms.turns.table_arn])
        self.allow(["events:PutEvents"], [rooms.bus.event_bus_arn])
        self.allow(["states:StartExecution"], [machine.state_machine_arn])

    def on_upload(self) -> None:
        """Start it for each config that is uploaded."""
        events.Rule(
            self.stack,
            "Upload",
            description="Starts a run for each config that is uploaded",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [self._bucket.bucket_name]},
                    "object": {"key": [{"wildcard": CONFIGS}]},
                },
            ),
            targets=[
                targets.LambdaFunction(
                    self, dead_letter_queue=self._undelivered, retry_attempts=DELIVERIES
                )
            ],
        )


class Begin(HandlerFunction):
    """Gives a run its turn in its dataset group, and its work."""

    def __init__(self, scope: Construct, rooms: Rooms, *, tasks: dynamodb.ITableV2) -> None:
        super().__init__(
            scope,
            "Begin",
            package=rooms.package,
            handler="begin",
            description="Wait for a run's turn in its dataset group",
            environment={
                "TURNS_TABLE": rooms.turns.table_name,
                "TASKS_TABLE": tasks.table_name,
            },
        )
        _lend_turns(self, rooms)
        self.allow(["dynamodb:Query"], [rooms.turns.table_arn])  # who else waits for the turn
        self.allow(["dynamodb:GetItem"], [tasks.table_arn])
        self.allow(
            ["s3:GetObject"],
            [rooms.bucket.arn_for_objects("state/*")],
            because="Reads the desired state of whichever dataset group has a run.",
        )

    def let_ask_after_runs(self, machine: sfn.StateMachine) -> None:
        """Let a run ask whether the one that has the turn is still alive.

        The workflow calls this function, so the permission is a policy of its own: in the
        role's default policy it would make a circle.
        """
        executions = Stack.of(self).format_arn(
            service="states",
            resource="execution",
            resource_name=f"{machine.state_machine_name}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        assert self.role is not None
        policy = iam.Policy(
            self.stack,
            "AskAfterRuns",
            roles=[self.role],
            statements=[
                iam.PolicyStatement(actions=["states:DescribeExecution"], resources=[executions])
            ],
        )
        accept_wildcard(policy, executions, "Runs are named as they start.")


class Preflight(HandlerFunction):
    """Looks whether a run would fail for what is known before it begins."""

    def __init__(self, scope: Construct, rooms: Rooms) -> None:
        super().__init__(
            scope,
            "Preflight",
            package=rooms.package,
            handler="preflight",
            description="Refuse a run that is known to fail, before anything is made",
            environment={"LEDGER_TABLE": rooms.ledger.table_name, "STACK": Aws.STACK_NAME},
            timeout=Duration.minutes(10),
        )
        named = [spec for spec in SPECS.values() if not spec.repeatable]
        for spec in named:
            self.allow(
                [f"personalize:{one}" for one in (spec.describe, *_of_tags(spec))],
                [personalize_arn(self, spec.iam_resource)],
                because="Users name their resources; all that a config names is looked at.",
            )
        lists = sorted({one for spec in named for one in spec.list_actions})
        self.allow(
            lists, ["*"], because="The service has no resource-level permission for its lists."
        )
        self.allow(
            ["s3:GetObject"],
            [rooms.bucket.arn_for_objects("state/*")],
            because="Reads the desired state of whichever dataset group has a run.",
        )
        self.allow(["dynamodb:PutItem"], [rooms.ledger.table_arn])
        self.allow(["dynamodb:Query"], [rooms.ledger.table_arn])  # what was made a moment ago


def _of_tags(spec: ResourceSpec) -> tuple[str, ...]:
    """Return what it takes to know which stack maintains one of a type."""
    return ("ListTagsForResource",) if spec.marked else ()


class Remove(HandlerFunction):
    """Removes what the config names no more, where it says so: this function alone may."""

    def __init__(self, scope: Construct, rooms: Rooms) -> None:
        super().__init__(
            scope,
            "Remove",
            package=rooms.package,
            handler="remove",
            description="Remove what a config names no more, where it says so",
            environment={
                "TURNS_TABLE": rooms.turns.table_name,
                "LEDGER_TABLE": rooms.ledger.table_name,
                "STACK": Aws.STACK_NAME,
            },
            timeout=Duration.minutes(10),
        )
        for noun in sorted(GOES):
            spec = SPECS[noun]
            self.allow(
                [f"personalize:{spec.describe}", f"personalize:Delete{noun}"],
                [personalize_arn(self, spec.iam_resource)],
                because="Users name their resources; only what a run has made is removed.",
            )
        self.allow(
            [f"personalize:{SPECS['Campaign'].list}"],
            ["*"],
            because="The service has no resource-level permission for its lists.",
        )
        self.allow(
            ["personalize:ListTagsForResource"],
            [personalize_arn(self, SPECS["DatasetGroup"].iam_resource)],
            because="Looks at which stack maintains the dataset group of whichever run.",
        )
        self.allow(
            ["s3:GetObject"],
            [rooms.bucket.arn_for_objects("state/*")],
            because="Reads the desired state of whichever dataset group has a run.",
        )
        self.allow(
            ["dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"], [rooms.ledger.table_arn]
        )
        self.allow(["dynamodb:GetItem", "dynamodb:PutItem"], [rooms.turns.table_arn])


class _Finishing(HandlerFunction):
    """Tells how a run went and gives its turn back."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        rooms: Rooms,
        *,
        handler: str,
        description: str,
        undelivered: sqs.IQueue | None = None,
    ) -> None:
        super().__init__(
            scope,
            id,
            package=rooms.package,
            handler=handler,
            description=f"{description} and give its turn back",
            environment={"TURNS_TABLE": rooms.turns.table_name, **rooms.environment()},
            undelivered=undelivered,
        )
        self.allow(["dynamodb:Query"], [rooms.ledger.table_arn])
        self.allow(["events:PutEvents"], [rooms.bus.event_bus_arn])


class Finish(_Finishing):
    """The end of a workflow that came to its end."""

    def __init__(self, scope: Construct, rooms: Rooms) -> None:
        super().__init__(
            scope, "Finish", rooms, handler="finish", description="Tell how a run went"
        )
        _lend_turns(self, rooms)


class Bury(_Finishing):
    """Tells of the runs that could not do it themselves: stopped, out of time, or broken down."""

    def __init__(self, scope: Construct, rooms: Rooms, *, undelivered: sqs.IQueue) -> None:
        super().__init__(
            scope,
            "Bury",
            rooms,
            handler="bury",
            description="Tell of a run that was killed",
            undelivered=undelivered,
        )
        self._undelivered = undelivered
        # The turn is left to end by itself, when no function can act for the run any more.
        self.allow(["dynamodb:GetItem", "dynamodb:PutItem"], [rooms.turns.table_arn])

    def on_killed(self, machine: sfn.IStateMachine) -> None:
        """Start it for each run that did not succeed.

        Most runs that failed have reported it; nothing is told twice.
        """
        events.Rule(
            self.stack,
            "Killed",
            description="Tells of runs that could not report how they ended",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "status": ["ABORTED", "FAILED", "TIMED_OUT"],
                    "stateMachineArn": [machine.state_machine_arn],
                },
            ),
            targets=[
                targets.LambdaFunction(
                    self, dead_letter_queue=self._undelivered, retry_attempts=DELIVERIES
                )
            ],
        )


def _lend_turns(function: HandlerFunction, rooms: Rooms) -> None:
    """Let a function take a turn, look whose it is, and give it back."""
    function.allow(
        ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"],
        [rooms.turns.table_arn],
    )
