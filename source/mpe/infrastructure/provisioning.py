"""The provisioning workflow: a dataset group and everything in it, in the right order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from aws_cdk import ArnFormat, Aws, Fn, RemovalPolicy, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from mpe.infrastructure.reasons import accept_wildcard
from mpe.infrastructure.stages import (
    CRASH,
    EXECUTION,
    ITEM,
    LONGEST,
    REDRIVEN,
    RUN,
    any_failed,
    asks_to_wait,
    done,
    each,
    ensure,
    failed,
    invoke,
    run_of,
    side_by_side,
    wait_as_told,
)
from mpe.model.plan.desired import DELETE, SOLUTION_STAGES, STAGES, When

SOLUTION = "$states.context.Execution.Input.solution"
"""The solution that an execution works on, as a JSONata path."""
STARTED = "{% $states.context.Execution.StartTime %}"
"""When an execution started, as ISO 8601
(https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html)."""
TRAINED = ("Solution", "SolutionVersion", *(stage.noun for stage in SOLUTION_STAGES))
"""The resource types that a solution's own execution ensures."""
AT_ONCE = 40
"""How many iterations of a Map Step Functions runs at the same time
(https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html)."""


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
        name: str | None = None,
    ) -> None:
        super().__init__(
            scope,
            id,
            state_machine_name=name,
            comment=comment,
            definition_body=sfn.DefinitionBody.from_chainable(definition),
            query_language=sfn.QueryLanguage.JSONATA,
            timeout=LONGEST,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=logs.LogGroup(
                    scope,
                    f"{id}Logs",
                    log_group_name=_log_group_name(scope.node.id),
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


def _log_group_name(workflow: str) -> str:
    """Return a name that Step Functions may log to in every account, and no other stack has.

    Each log group of another name takes room in the one resource policy by which logs are
    delivered, which is of limited size and full in established accounts
    (https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html).
    """
    stack = Fn.select(2, Fn.split("/", Aws.STACK_ID))
    return f"/aws/vendedlogs/states/{Aws.STACK_NAME}-{workflow}-{stack}"


class SolutionWorkflow(Construct):
    """One solution: the solution, a version of it, and what serves the version."""

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
            "$states.input.cause ? $states.input.cause : 'A campaign or a batch job failed' %}",
        )
        told = sfn.Choice.jsonata(self, "Is the version in use?")
        told.when(any_failed(), stuck).otherwise(done(self, "Solution done"))
        used = side_by_side(
            self,
            "Use the version",
            [
                self._with_version(stage.noun, functions[stage.noun], stage.key)
                for stage in SOLUTION_STAGES
            ],
        )
        version = ensure(
            self,
            "SolutionVersion",
            function=functions["SolutionVersion"],
            resource=f"{SOLUTION}.version",
            then=used.next(told),
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

    def _with_version(self, noun: str, function: lambda_.IFunction, stage: str) -> sfn.Map:
        """Give every resource of a stage the version, whose ARN only the service knew."""
        one = ensure(
            self,
            noun,
            function=function,
            resource=f"{ITEM}.id",
            then=done(self, f"{noun} done"),
            otherwise=failed(self, f"{noun} failed"),
            given={"solutionVersionArn": f"{{% {ITEM}.version %}}"},
        )
        # A list even where there is one, and an empty one where there is none.
        items = f"[{SOLUTION}.{stage}.{{'id': $, 'version': $states.input.arn}}]"
        return each(self, f"{noun}s", items, one)


class ProvisioningWorkflow(Construct):
    """The whole dataset group, from its turn to its report."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        begin: lambda_.IFunction,
        preflight: lambda_.IFunction,
        remove: lambda_.IFunction,
        finish: lambda_.IFunction,
        keep_schedules: lambda_.IFunction,
        functions: Mapping[str, lambda_.IFunction],
    ) -> None:
        super().__init__(scope, id)
        self._functions = functions
        report = self._report(finish)
        self.solutions = SolutionWorkflow(self, "Solution", functions=functions).machine
        end = self._removal(remove, report)
        work = self._work(keep_schedules, self.solutions, end=end, report=report)
        checked = self._preflight(preflight, work=work, report=report)
        start = self._turn(begin, work=checked, report=report)
        self.machine = Machine(
            self,
            "Machine",
            start,
            calls=[
                begin,
                preflight,
                remove,
                finish,
                keep_schedules,
                *(functions[noun] for noun in functions if noun not in TRAINED),
            ],
            comment="Provisions a dataset group from its config",
        )
        follow_executions(self.machine, self.solutions)

    def _work(
        self,
        keep_schedules: lambda_.IFunction,
        solutions: sfn.StateMachine,
        *,
        end: sfn.State,
        report: sfn.State,
    ) -> sfn.State:
        """Make the group and its datasets, import the data, then use it."""
        use = side_by_side(
            self,
            "Use the data",
            [
                # What came of the steps before, for the report.
                sfn.Pass.jsonata(self, "Before"),
                self._keep_schedules(keep_schedules),
                *self._stages(When.USE),
                self._solutions(solutions),
            ],
        )
        imported = sfn.Choice.jsonata(self, "Is all data imported?")
        imported.when(any_failed("$states.input[0]"), report).otherwise(use.next(end))
        fill = side_by_side(
            self,
            "Import the data",
            [self._imports(), *self._stages(When.BESIDE)],
        )
        there = sfn.Choice.jsonata(self, "Are all datasets there?")
        there.when(any_failed(), report).otherwise(fill.next(imported))
        return ensure(
            self,
            "DatasetGroup",
            function=self._functions["DatasetGroup"],
            resource="$work.datasetGroup",
            then=self._datasets().next(there),
            otherwise=failed(self, "DatasetGroup failed").next(report),
        )

    def _turn(self, begin: lambda_.IFunction, *, work: sfn.State, report: sfn.State) -> sfn.State:
        """Wait until no other run works on the dataset group."""
        given = {"run": RUN, "execution": EXECUTION, "since": STARTED, "redriven": REDRIVEN}
        ask = invoke(self, "Take turn", begin, given)
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

    def _removal(self, remove: lambda_.IFunction, report: sfn.State) -> sfn.State:
        """Remove what a config names no more, where it says so and all else went well."""
        ask = invoke(self, "Remove", remove, {"run": RUN, "redriven": REDRIVEN})
        ask.add_catch(
            failed(self, "Removing failed").next(report), outputs={**CRASH, "resource": "Remove"}
        )
        gone = sfn.Choice.jsonata(self, "Is it removed?")
        gone.when(asks_to_wait(), wait_as_told(self, "Wait for the removal").next(ask))
        ask.next(gone.otherwise(report))
        well = sfn.Choice.jsonata(self, "Is something to be removed?")
        well.when(any_failed(), report)
        well.when(sfn.Condition.jsonata(f"{{% $work.onRemoval = '{DELETE}' %}}"), ask)
        return well.otherwise(report)

    def _preflight(
        self, preflight: lambda_.IFunction, *, work: sfn.State, report: sfn.State
    ) -> sfn.State:
        """Begin nothing of a run that is known to fail."""
        look = invoke(self, "Look ahead", preflight, {"run": RUN})
        broken = failed(self, "Looking ahead failed").next(report)
        look.add_catch(broken, outputs={**CRASH, "resource": "Look ahead"})
        can_be = sfn.Choice.jsonata(self, "May it begin?")
        can_be.when(asks_to_wait(), wait_as_told(self, "Wait for the service").next(look))
        can_be.when(sfn.Condition.jsonata("{% $states.input.refused %}"), report)
        can_be.otherwise(work)
        return look.next(can_be).start_state

    def _datasets(self) -> sfn.Map:
        """Make each dataset with its schema, all of them side by side."""
        stuck = failed(self, "Dataset failed")
        dataset = ensure(
            self,
            "Dataset",
            function=self._functions["Dataset"],
            resource=f"{ITEM}.dataset",
            then=done(self, "Dataset done"),
            otherwise=stuck,
        )
        schema = ensure(
            self,
            "Schema",
            function=self._functions["Schema"],
            resource=f"{ITEM}.schema",
            then=dataset,
            otherwise=stuck,
        )
        return each(self, "Datasets", "$work.datasets", schema)

    def _imports(self) -> sfn.State:
        """Import all data; before it what reports on it, after it what deletes from it.

        A step that fails ends this: reports would lack data, and models would be trained on
        data that is to be deleted.
        """
        stuck = sfn.Pass.jsonata(self, "Data failed")
        first, *more = stages = list(self._stages(When.DATA))
        for before, after in zip(stages, more, strict=False):
            passed = sfn.Choice.jsonata(self, f"{before.id} done?")
            before.next(passed.when(any_failed(), stuck).otherwise(after))
        return first

    def _keep_schedules(self, function: lambda_.IFunction) -> sfn.State:
        """Bring the schedules in line with the config; a scheduled task has none of its own."""
        keep = invoke(self, "Keep schedules", function, {"run": RUN, "redriven": REDRIVEN})
        keep.add_catch(
            failed(self, "Keeping schedules failed"), outputs={**CRASH, "resource": "Schedules"}
        )
        whole = sfn.Choice.jsonata(self, "Is it a whole config?")
        task = sfn.Condition.jsonata("{% $exists($states.context.Execution.Input.run.task) %}")
        whole.when(task, done(self, "Schedules stay"))
        return whole.otherwise(keep)

    def _stages(self, when: When) -> Iterator[sfn.Map]:
        """Yield the stages that have their turn at a time."""
        for stage in STAGES:
            if stage.when is when:
                yield self._each_of(stage.noun, stage.key)

    def _each_of(self, noun: str, stage: str) -> sfn.Map:
        one = ensure(
            self,
            noun,
            function=self._functions[noun],
            resource=ITEM,
            then=done(self, f"{noun} done"),
            otherwise=failed(self, f"{noun} failed"),
        )
        # An empty list where functions of a former release, after a rollback, know no such stage.
        return each(self, f"{noun}s", f"[$work.{stage}]", one)

    def _solutions(self, machine: sfn.StateMachine) -> sfn.Map:
        """Give each solution an execution of its own, so that no history grows too long.

        All of them work at the same time, so that many take no longer than one: the service
        queues, or refuses for a while, what is too much for its quotas. A Map runs only so
        many iterations at a time, so this is a Map of Maps.
        """
        given = {"run": RUN, "solution": f"{{% {ITEM} %}}", "redriven": REDRIVEN}
        child = run_of(
            self,
            "Train and deploy",
            machine,
            given,
            otherwise=failed(self, "Solution execution failed"),
            resource=f"{{% {ITEM}.solution %}}",
        )
        some = each(self, "Solutions", ITEM, child)
        return each(self, "All solutions", f"$partition($work.solutions, {AT_ONCE})", some)

    def _report(self, finish: lambda_.IFunction) -> sfn.State:
        """Tell how it went; a run with a failure is a failed execution."""
        report = invoke(
            self,
            "Report",
            finish,
            {
                "run": RUN,
                "execution": EXECUTION,
                "redriven": REDRIVEN,
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


def follow_executions(parent: sfn.StateMachine, child: sfn.StateMachine) -> None:
    """Accept that a machine follows the executions that it starts of another."""
    accept_wildcard(
        parent,
        Stack.of(parent).format_arn(
            service="states",
            resource="execution",
            resource_name=f"{_name(child)}*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        ),
        "A run follows and stops the executions that it started, which are named as they start.",
    )


def _name(machine: sfn.StateMachine) -> str:
    """Return a machine's name the way CDK writes it into the policy of its parent."""
    return Fn.select(6, Fn.split(":", machine.state_machine_arn))
