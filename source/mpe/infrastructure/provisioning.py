"""The provisioning workflow: a dataset group and everything in it, in the right order."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from mpe.infrastructure.stages import CRASH, RUN, Ensure, any_failed, done, failed, invoke

AT_ONCE = 10
"""How many solutions are worked on at the same time; the service queues the rest anyway."""
LONGEST = Duration.days(2)
"""When a run is given up; shorter than its lease on the dataset group."""


class Machine(sfn.StateMachine):
    """A standard state machine in JSONata, with logs and traces."""

    def __init__(
        self, scope: Construct, id: str, definition: sfn.IChainable, *, comment: str
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
                    log_group_name=None,
                    retention=logs.RetentionDays.ONE_YEAR,
                    removal_policy=RemovalPolicy.DESTROY,
                ),
                level=sfn.LogLevel.ALL,
                include_execution_data=False,
            ),
        )


class SolutionWorkflow(Construct):
    """One solution: the solution, a version of it, and the campaigns that serve it."""

    def __init__(
        self, scope: Construct, id: str, *, ensure: Mapping[str, lambda_.IFunction]
    ) -> None:
        super().__init__(scope, id)
        stuck = failed(self, "Solution failed")
        start = sfn.Pass.jsonata(
            self,
            "Take up the solution",
            assign={"run": "{% $states.input.run %}", "solution": "{% $states.input.solution %}"},
        )
        solution = Ensure(
            self,
            "Solution",
            function=ensure["Solution"],
            resource="{% $solution.solution %}",
            failure=stuck,
        )
        version = Ensure(
            self,
            "SolutionVersion",
            function=ensure["SolutionVersion"],
            resource="{% $solution.version %}",
            failure=stuck,
            assign={"solutionVersionArn": "{% $states.input.arn %}"},
        )
        told = sfn.Choice.jsonata(self, "Did every campaign succeed?")
        told.when(any_failed(), stuck).otherwise(done(self, "Solution done"))
        chain = start.next(solution).next(version).next(self._campaigns(ensure)).next(told)
        self.machine = Machine(
            self, "Machine", chain, comment="Trains one solution and moves its campaigns to it"
        )

    def _campaigns(self, ensure: Mapping[str, lambda_.IFunction]) -> sfn.Map:
        campaigns = sfn.Map.jsonata(
            self,
            "Campaigns",
            items=sfn.ProvideItems.jsonata("{% $solution.campaigns %}"),
            max_concurrency=AT_ONCE,
        )
        start = sfn.Pass.jsonata(
            self, "Take up the campaign", assign={"campaign": "{% $states.input %}"}, outputs={}
        )
        campaign = Ensure(
            self,
            "Campaign",
            function=ensure["Campaign"],
            resource="{% $campaign %}",
            failure=failed(self, "Campaign failed"),
            given={"solutionVersionArn": "{% $solutionVersionArn %}"},
        )
        campaigns.item_processor(start.next(campaign).next(done(self, "Campaign done")))
        return campaigns


class ProvisioningWorkflow(Construct):
    """The whole dataset group, from its turn to its report."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        begin: lambda_.IFunction,
        finish: lambda_.IFunction,
        ensure: Mapping[str, lambda_.IFunction],
    ) -> None:
        super().__init__(scope, id)
        self._ensure = ensure
        self._solution = SolutionWorkflow(self, "Solution", ensure=ensure)
        report = self._report(finish)
        group = Ensure(
            self,
            "DatasetGroup",
            function=ensure["DatasetGroup"],
            resource="{% $work.datasetGroup %}",
            failure=failed(self, "DatasetGroup failed").next(report),
        )
        imported = sfn.Choice.jsonata(self, "Is all data imported?")
        imported.when(any_failed(), report).otherwise(self._use_the_data().next(report))
        start = self._turn(begin, report, group.next(self._datasets()).next(imported))
        self.machine = Machine(
            self, "Machine", start, comment="Provisions a dataset group from its config"
        )

    def _turn(
        self, begin: lambda_.IFunction, report: sfn.State, work: sfn.IChainable
    ) -> sfn.IChainable:
        """Wait until no other run works on the dataset group."""
        start = sfn.Pass.jsonata(
            self,
            "Take up the config",
            assign={
                "run": "{% $states.input.run %}",
                "execution": "{% $states.context.Execution.Id %}",
            },
        )
        ask = invoke(self, "Take turn", begin, {"run": RUN, "execution": "{% $execution %}"})
        ask.add_catch(report, outputs={**CRASH, "crash": {**CRASH, "resource": "Take turn"}})
        wait = sfn.Wait.jsonata(
            self, "Wait for turn", time=sfn.WaitTime.seconds("{% $states.input.wait %}")
        )
        ours = sfn.Choice.jsonata(self, "Is it our turn?")
        ours.when(sfn.Condition.jsonata("{% $exists($states.input.wait) %}"), wait.next(ask))
        ours.when(
            sfn.Condition.jsonata("{% $exists($states.input.superseded) %}"),
            sfn.Succeed.jsonata(self, "A newer config took over"),
        )
        ours.otherwise(
            sfn.Pass.jsonata(
                self,
                "Plan the work",
                assign={"work": "{% $states.input.work %}"},
                outputs={},
            ).next(work)
        )
        return start.next(ask).next(ours)

    def _datasets(self) -> sfn.Map:
        """Make each dataset and import its data, all of them side by side."""
        datasets = sfn.Map.jsonata(
            self, "Datasets", items=sfn.ProvideItems.jsonata("{% $work.datasets %}")
        )
        stuck = failed(self, "Dataset failed")
        start = sfn.Pass.jsonata(
            self, "Take up the dataset", assign={"dataset": "{% $states.input %}"}, outputs={}
        )
        chain: sfn.Chain = sfn.Chain.start(start)
        for noun, step in (
            ("Schema", "schema"),
            ("Dataset", "dataset"),
            ("DatasetImportJob", "import"),
        ):
            chain = chain.next(
                Ensure(
                    self,
                    noun,
                    function=self._ensure[noun],
                    resource=f"{{% $dataset.{step} %}}",
                    failure=stuck,
                )
            )
        datasets.item_processor(chain.next(done(self, "Dataset done")))
        return datasets

    def _use_the_data(self) -> sfn.Parallel:
        """Make whatever needs the data; no branch waits for another."""
        together = sfn.Parallel.jsonata(self, "Use the data")
        together.branch(self._each("EventTracker", "eventTrackers"))
        together.branch(self._each("Filter", "filters"))
        together.branch(self._solutions())
        return together

    def _each(self, noun: str, stage: str) -> sfn.Map:
        items = sfn.Map.jsonata(
            self,
            f"{noun}s",
            items=sfn.ProvideItems.jsonata(f"{{% $work.{stage} %}}"),
            max_concurrency=AT_ONCE,
        )
        start = sfn.Pass.jsonata(
            self, f"Take up the {noun}", assign={"item": "{% $states.input %}"}, outputs={}
        )
        one = Ensure(
            self,
            noun,
            function=self._ensure[noun],
            resource="{% $item %}",
            failure=failed(self, f"{noun} failed"),
        )
        items.item_processor(start.next(one).next(done(self, f"{noun} done")))
        return items

    def _solutions(self) -> sfn.Map:
        """Give each solution an execution of its own, so that no history grows too long."""
        solutions = sfn.Map.jsonata(
            self,
            "Solutions",
            items=sfn.ProvideItems.jsonata("{% $work.solutions %}"),
            max_concurrency=AT_ONCE,
        )
        child = tasks.StepFunctionsStartExecution.jsonata(
            self,
            "Train and deploy",
            state_machine=self._solution.machine,
            integration_pattern=sfn.IntegrationPattern.RUN_JOB,
            associate_with_parent=True,
            input=sfn.TaskInput.from_object({"run": RUN, "solution": "{% $states.input %}"}),
            outputs="{% $states.result.Output %}",
        )
        crashed = failed(self, "Solution execution failed")
        child.add_catch(crashed, outputs={**CRASH, "resource": "Train and deploy"})
        solutions.item_processor(child)
        return solutions

    def _report(self, finish: lambda_.IFunction) -> sfn.State:
        """Tell how it went; a run with a failure is a failed execution."""
        report = invoke(
            self,
            "Report",
            finish,
            {
                "run": RUN,
                "execution": "{% $execution %}",
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
