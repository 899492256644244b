"""The provisioning workflow: a dataset group and everything in it, in the right order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aws_cdk import ArnFormat, Duration, Fn, RemovalPolicy, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from mpe.infrastructure.reasons import accept_wildcard
from mpe.infrastructure.stages import (
    CRASH,
    EXECUTION,
    ITEM,
    RUN,
    any_failed,
    asks_to_wait,
    done,
    each,
    ensure,
    failed,
    invoke,
    side_by_side,
    wait_as_told,
)

SOLUTION = "$states.context.Execution.Input.solution"
"""The solution that an execution works on, as a JSONata path."""
TRAINED = ("Solution", "SolutionVersion", "Campaign")
"""The resource types that a solution's own execution ensures."""
AT_ONCE = 10
"""How many solutions are worked on at the same time; the service queues the rest anyway."""
LONGEST = Duration.days(2)
"""When a run is given up; shorter than its lease on the dataset group."""


class Machine(sfn.StateMachine):
    """A standard state machine in JSONata, with logs and traces."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        definition: sfn.IChainable,
        *,
        calls: Iterable[lambda_.IFunction],
        comment: str,
    ) -> None:
        super().__init__(
            scope,
            id,
            comment=comment,
            definition_body=sfn.DefinitionBody.from_chainable(definition),
            query_language=sfn.QueryLanguage.JSONATA,
            timeout=LONGEST,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=logs.LogGroup(
                    scope,
                    f"{id}Logs",
                    retention=logs.RetentionDays.ONE_YEAR,
                    removal_policy=RemovalPolicy.DESTROY,
                ),
                level=sfn.LogLevel.ALL,
                include_execution_data=False,
            ),
        )
        accept_wildcard(
            self,
            "*",
            "Neither X-Ray's writes nor the delivery of vended logs have resource-level "
            "permissions.",
        )
        for function in calls:
            accept_wildcard(
                self,
                f"{function.function_arn}:*",
                "CDK grants the versions of a function together with it; there are none.",
            )


class SolutionWorkflow(Construct):
    """One solution: the solution, a version of it, and the campaigns that serve it."""

    def __init__(
        self, scope: Construct, id: str, *, functions: Mapping[str, lambda_.IFunction]
    ) -> None:
        super().__init__(scope, id)
        stuck = sfn.Fail.jsonata(
            self,
            "Solution failed",
            error="{% $states.input.failed.error ? $states.input.failed.error : "
            "$states.input.error ? $states.input.error : 'ResourceFailed' %}",
            cause="{% $states.input.failed.reason ? $states.input.failed.reason : "
            "$states.input.cause ? $states.input.cause : 'A campaign failed' %}",
        )
        told = sfn.Choice.jsonata(self, "Did every campaign succeed?")
        told.when(any_failed(), stuck).otherwise(done(self, "Solution done"))
        version = ensure(
            self,
            "SolutionVersion",
            function=functions["SolutionVersion"],
            resource=f"{SOLUTION}.version",
            then=self._campaigns(functions["Campaign"]).next(told),
            otherwise=stuck,
        )
        start = ensure(
            self,
            "Solution",
            function=functions["Solution"],
            resource=f"{SOLUTION}.solution",
            then=version,
            otherwise=stuck,
        )
        self.machine = Machine(
            self,
            "Machine",
            start,
            calls=[functions[noun] for noun in TRAINED],
            comment="Trains one solution and moves its campaigns to it",
        )

    def _campaigns(self, function: lambda_.IFunction) -> sfn.Map:
        """Move every campaign to the version, whose ARN only the service knew."""
        campaign = ensure(
            self,
            "Campaign",
            function=function,
            resource=f"{ITEM}.id",
            then=done(self, "Campaign done"),
            otherwise=failed(self, "Campaign failed"),
            given={"solutionVersionArn": f"{{% {ITEM}.version %}}"},
        )
        with_version = f"[{SOLUTION}.campaigns.{{'id': $, 'version': $states.input.arn}}]"
        return each(self, "Campaigns", with_version, campaign, at_once=AT_ONCE)


class ProvisioningWorkflow(Construct):
    """The whole dataset group, from its turn to its report."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        begin: lambda_.IFunction,
        finish: lambda_.IFunction,
        functions: Mapping[str, lambda_.IFunction],
    ) -> None:
        super().__init__(scope, id)
        self._functions = functions
        report = self._report(finish)
        solutions = SolutionWorkflow(self, "Solution", functions=functions)
        use = side_by_side(
            self,
            "Use the data",
            [
                self._each_of("EventTracker", "eventTrackers"),
                self._each_of("Filter", "filters"),
                self._each_of("Recommender", "recommenders"),
                self._solutions(solutions.machine),
            ],
        )
        imported = sfn.Choice.jsonata(self, "Is all data imported?")
        imported.when(any_failed(), report).otherwise(use.next(report))
        group = ensure(
            self,
            "DatasetGroup",
            function=functions["DatasetGroup"],
            resource="$work.datasetGroup",
            then=self._datasets().next(imported),
            otherwise=failed(self, "DatasetGroup failed").next(report),
        )
        start = self._turn(begin, work=group, report=report)
        self.machine = Machine(
            self,
            "Machine",
            start,
            calls=[begin, finish, *(functions[noun] for noun in functions if noun not in TRAINED)],
            comment="Provisions a dataset group from its config",
        )
        accept_wildcard(
            self.machine,
            Stack.of(self).format_arn(
                service="states",
                resource="execution",
                resource_name=f"{_name(solutions.machine)}*",
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            ),
            "A run follows and stops the executions that it started, which are named as they "
            "start.",
        )

    def _turn(self, begin: lambda_.IFunction, *, work: sfn.State, report: sfn.State) -> sfn.State:
        """Wait until no other run works on the dataset group."""
        ask = invoke(self, "Take turn", begin, {"run": RUN, "execution": EXECUTION})
        broken = failed(self, "Taking turn failed").next(report)
        ask.add_catch(broken, outputs={**CRASH, "resource": "Take turn"})
        ours = sfn.Choice.jsonata(self, "Is it our turn?")
        ours.when(asks_to_wait(), wait_as_told(self, "Wait for turn").next(ask))
        ours.when(
            sfn.Condition.jsonata("{% $exists($states.input.superseded) %}"),
            sfn.Succeed.jsonata(self, "A newer config took over"),
        )
        plan = sfn.Pass.jsonata(
            self, "Plan the work", assign={"work": "{% $states.input.work %}"}, outputs={}
        )
        ours.otherwise(plan.next(work))
        return ask.next(ours).start_state

    def _datasets(self) -> sfn.Map:
        """Make each dataset and import its data, all of them side by side."""
        stuck = failed(self, "Dataset failed")
        step: sfn.State = done(self, "Dataset done")
        for noun, part in reversed(
            (("Schema", "schema"), ("Dataset", "dataset"), ("DatasetImportJob", "import"))
        ):
            step = ensure(
                self,
                noun,
                function=self._functions[noun],
                resource=f"{ITEM}.{part}",
                then=step,
                otherwise=stuck,
            )
        return each(self, "Datasets", "$work.datasets", step)

    def _each_of(self, noun: str, stage: str) -> sfn.Map:
        one = ensure(
            self,
            noun,
            function=self._functions[noun],
            resource=ITEM,
            then=done(self, f"{noun} done"),
            otherwise=failed(self, f"{noun} failed"),
        )
        return each(self, f"{noun}s", f"$work.{stage}", one, at_once=AT_ONCE)

    def _solutions(self, machine: sfn.StateMachine) -> sfn.Map:
        """Give each solution an execution of its own, so that no history grows too long."""
        child = tasks.StepFunctionsStartExecution.jsonata(
            self,
            "Train and deploy",
            state_machine=machine,
            integration_pattern=sfn.IntegrationPattern.RUN_JOB,
            associate_with_parent=True,
            input=sfn.TaskInput.from_object({"run": RUN, "solution": f"{{% {ITEM} %}}"}),
            outputs="{% $states.result.Output %}",
        )
        child.add_catch(
            failed(self, "Solution execution failed"),
            outputs={**CRASH, "resource": f"{{% {ITEM}.solution %}}"},
        )
        return each(self, "Solutions", "$work.solutions", child, at_once=AT_ONCE)

    def _report(self, finish: lambda_.IFunction) -> sfn.State:
        """Tell how it went; a run with a failure is a failed execution."""
        report = invoke(
            self,
            "Report",
            finish,
            {
                "run": RUN,
                "execution": EXECUTION,
                "crashes": "{% [$states.input.crash[$exists(cause)]] %}",
            },
        )
        verdict = sfn.Choice.jsonata(self, "Did all succeed?")
        verdict.when(
            sfn.Condition.jsonata("{% $states.input.succeeded %}"),
            sfn.Succeed.jsonata(self, "Provisioned"),
        )
        verdict.otherwise(
            sfn.Fail.jsonata(
                self,
                "Run failed",
                error="{% $states.input.error %}",
                cause="{% $states.input.cause %}",
            )
        )
        report.next(verdict)
        return report


def _name(machine: sfn.StateMachine) -> str:
    """Return a machine's name the way CDK writes it into the policy of its parent."""
    return Fn.select(6, Fn.split(":", machine.state_machine_arn))
