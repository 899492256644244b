"""Scheduled tasks: EventBridge Scheduler fires, DynamoDB remembers, Step Functions runs."""

from __future__ import annotations

from aws_cdk import ArnFormat, Aws, Duration, Fn, RemovalPolicy, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from mpe.infrastructure.functions import HandlerFunction, Package
from mpe.infrastructure.provisioning import Machine, ProvisioningWorkflow, follow_executions
from mpe.infrastructure.stages import EXECUTION, invoke, run_of
from mpe.infrastructure.storage import DataBucket, GroupTable

ASK_AGAIN = Duration.minutes(1)
"""After which a task is fired again that a new config overtook."""
LONGEST = Duration.minutes(15)
"""The longest that a function may run
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""
GIVEN = "$states.context.Execution.Input"


class Schedules(Construct):
    """The schedule table, the schedule group, and what keeps them as the configs say."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        package: Package,
        bucket: DataBucket,
        turns: GroupTable,
        ledger: GroupTable,
        undelivered: sqs.Queue,
    ) -> None:
        super().__init__(scope, id)
        self.table = GroupTable(self, "Tasks")
        # Both are named. CDK would give the group one name for good, which two stacks of a
        # released template would fight over. The function must be told of the machine, which
        # comes later, for it starts the workflow that calls the function. The stack's own id
        # makes them unique.
        stack = Fn.select(2, Fn.split("/", Aws.STACK_ID))
        # With the group go its schedules, which would else fire for ever at nothing
        # (https://docs.aws.amazon.com/scheduler/latest/APIReference/API_DeleteScheduleGroup.html).
        self.group = scheduler.ScheduleGroup(
            self,
            "Group",
            schedule_group_name=f"Schedules-{stack}",
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.machine_name = f"ScheduledTask-{stack}"
        self.machine_arn = Stack.of(self).format_arn(
            service="states",
            resource="stateMachine",
            resource_name=self.machine_name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        self.role = self._role(undelivered)
        self.keep = self._keep(package, bucket, undelivered, turns=turns, ledger=ledger)

    @property
    def schedules_arn(self) -> str:
        return Stack.of(self).format_arn(
            service="scheduler", resource="schedule", resource_name=f"{self.name}/*"
        )

    @property
    def name(self) -> str:
        return self.group.schedule_group_name

    def _role(self, undelivered: sqs.Queue) -> iam.Role:
        """Let Scheduler start scheduled tasks, on behalf of this account alone.

        https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
        """
        role = iam.Role(
            self,
            "Role",
            description="Lets EventBridge Scheduler start scheduled tasks",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={
                    "StringEquals": {
                        "aws:SourceAccount": Aws.ACCOUNT_ID,
                        "aws:SourceArn": self.group.schedule_group_arn,
                    }
                },
            ),
        )
        for action, resource in (
            ("states:StartExecution", self.machine_arn),
            ("sqs:SendMessage", undelivered.queue_arn),
        ):
            role.add_to_policy(iam.PolicyStatement(actions=[action], resources=[resource]))
        return role

    def _keep(
        self,
        package: Package,
        bucket: DataBucket,
        undelivered: sqs.Queue,
        *,
        turns: GroupTable,
        ledger: GroupTable,
    ) -> HandlerFunction:
        function = HandlerFunction(
            self,
            "Keep",
            package=package,
            handler="schedule",
            description="Bring the schedules of a dataset group in line with its config",
            environment={
                "TASKS_TABLE": self.table.table_name,
                "TURNS_TABLE": turns.table_name,
                "LEDGER_TABLE": ledger.table_name,
                "SCHEDULE_GROUP": self.name,
                "MACHINE": self.machine_arn,
                "SCHEDULE_ROLE": self.role.role_arn,
                "DEAD_LETTERS": undelivered.queue_arn,
            },
            # A config may have hundreds of tasks, which are kept one by one.
            timeout=LONGEST,
        )
        function.allow(
            [
                "scheduler:CreateSchedule",
                "scheduler:DeleteSchedule",
                "scheduler:GetSchedule",
                "scheduler:UpdateSchedule",
            ],
            [self.schedules_arn],
            because="Schedules are named as configs are uploaded; all are in the stack's group.",
        )
        function.allow(
            ["iam:PassRole"],
            [self.role.role_arn],
            StringEquals={"iam:PassedToService": "scheduler.amazonaws.com"},
        )
        function.allow(
            [f"dynamodb:{one}" for one in ("Query", "GetItem", "UpdateItem", "DeleteItem")],
            [self.table.table_arn],
        )
        function.allow(["dynamodb:GetItem", "dynamodb:PutItem"], [turns.table_arn])
        function.allow(["dynamodb:PutItem"], [ledger.table_arn])
        function.allow(
            ["s3:GetObject", "s3:DeleteObject"],
            [bucket.arn_for_objects("state/*")],
            because="Reads the desired state of whichever dataset group has a run, and deletes old"
            " ones of it.",
        )
        function.allow(["s3:ListBucket"], [bucket.bucket_arn], StringLike={"s3:prefix": "state/*"})
        return function


class ScheduledTasks(Construct):
    """The workflow that a schedule starts: one run of one task, whose outcome is kept."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        package: Package,
        schedules: Schedules,
        workflow: ProvisioningWorkflow,
        bus: events.IEventBus,
    ) -> None:
        super().__init__(scope, id)
        self._schedules, self._bus = schedules, bus
        fire, settle = self._fire(package), self._settle(package)
        start = self._steps(fire, settle, workflow)
        self.machine = Machine(
            self,
            "Machine",
            start,
            calls=[fire, settle],
            comment="Runs a scheduled task",
            name=schedules.machine_name,
        )
        follow_executions(self.machine, workflow.machine)
        self._let_ask_after_tasks(fire)

    def _steps(
        self, fire: HandlerFunction, settle: HandlerFunction, workflow: ProvisioningWorkflow
    ) -> sfn.State:
        begin = invoke(
            self,
            "Fire",
            fire,
            {
                "group": f"{{% {GIVEN}.group %}}",
                "task": f"{{% {GIVEN}.task %}}",
                # A schedule of a former release, and somebody's own start, tell no time.
                "scheduled": f"{{% $exists({GIVEN}.scheduled) ? {GIVEN}.scheduled : '' %}}",
                "execution": EXECUTION,
            },
            assign={"run": "{% $states.result.Payload.run %}"},
        )
        end = invoke(
            self,
            "Settle",
            settle,
            {"run": "{% $run %}", "execution": EXECUTION, "result": "{% $states.input %}"},
        )
        run = run_of(self, "Run the task", workflow.machine, {"run": "{% $run %}"}, otherwise=end)
        due = sfn.Choice.jsonata(self, "Is there something to run?")
        due.when(
            sfn.Condition.jsonata("{% $exists($states.input.skip) %}"),
            sfn.Succeed.jsonata(self, "Skipped"),
        )
        begin.next(due.otherwise(run))
        overtaken = sfn.Choice.jsonata(self, "Did a new config overtake it?")
        again = sfn.Wait.jsonata(
            self,
            "Wait for the new config",
            time=sfn.WaitTime.duration(ASK_AGAIN),
        )
        overtaken.when(
            sfn.Condition.jsonata("{% $exists($states.input.superseded) %}"), again.next(begin)
        )
        run.next(overtaken.otherwise(end))
        end.next(self._verdict())
        return begin.start_state

    def _verdict(self) -> sfn.Choice:
        """End as the run did."""
        verdict = sfn.Choice.jsonata(self, "Did it succeed?")
        verdict.when(
            sfn.Condition.jsonata("{% $states.input.succeeded %}"),
            sfn.Succeed.jsonata(self, "Done"),
        )
        verdict.otherwise(
            sfn.Fail.jsonata(
                self,
                "Task failed",
                error="{% $states.input.error %}",
                cause="The run tells why; its report was sent",
            )
        )
        return verdict

    def _fire(self, package: Package) -> HandlerFunction:
        function = HandlerFunction(
            self,
            "FireTask",
            package=package,
            handler="fire",
            description="Make a run of a scheduled task",
            environment={
                "TASKS_TABLE": self._schedules.table.table_name,
                "EVENT_BUS": self._bus.event_bus_name,
                "STACK": Aws.STACK_NAME,
            },
        )
        function.allow(
            ["dynamodb:GetItem", "dynamodb:UpdateItem"], [self._schedules.table.table_arn]
        )
        function.allow(["events:PutEvents"], [self._bus.event_bus_arn])
        return function

    def _settle(self, package: Package) -> HandlerFunction:
        function = HandlerFunction(
            self,
            "SettleTask",
            package=package,
            handler="settle",
            description="Note how a scheduled task went",
            environment={
                "TASKS_TABLE": self._schedules.table.table_name,
                "SCHEDULE_GROUP": self._schedules.name,
            },
        )
        function.allow(["dynamodb:UpdateItem"], [self._schedules.table.table_arn])
        function.allow(
            ["scheduler:GetSchedule", "scheduler:UpdateSchedule"],
            [self._schedules.schedules_arn],
            because="Disables the schedule of whichever task found its resource gone.",
        )
        function.allow(
            ["iam:PassRole"],
            [self._schedules.role.role_arn],
            StringEquals={"iam:PassedToService": "scheduler.amazonaws.com"},
        )
        return function

    def _let_ask_after_tasks(self, function: HandlerFunction) -> None:
        """Let a task ask whether its last run still runs."""
        executions = Stack.of(self).format_arn(
            service="states",
            resource="execution",
            resource_name=f"{self._schedules.machine_name}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        function.allow(
            ["states:DescribeExecution"], [executions], because="Runs are named as they start."
        )
