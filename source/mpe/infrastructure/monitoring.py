"""The dashboard, and alarms to the same topic as the runs' reports."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

NAMESPACE = "PersonalizedExperiences"
"""Where the functions put their metrics (:mod:`mpe.handlers.gauges`)."""
HOUR = Duration.hours(1)
MODEL_METRICS = (
    "precision_at_10",
    "normalized_discounted_cumulative_gain_at_10",
    "mean_reciprocal_rank_at_25",
    "coverage",
)


class Monitoring(Construct):
    """Show how the stack and its models do, and raise an alarm where nobody else would tell."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        topic: sns.ITopic,
        undelivered: sqs.IQueue,
        schedule_group: str,
        machines: Sequence[sfn.StateMachine],
    ) -> None:
        super().__init__(scope, id)
        self._topic = topic
        self._alarms(undelivered, schedule_group, machines)
        dashboard = cloudwatch.Dashboard(self, "Dashboard")
        dashboard.add_widgets(*(self._of_models(name) for name in MODEL_METRICS[:2]))
        dashboard.add_widgets(*(self._of_models(name) for name in MODEL_METRICS[2:]))
        dashboard.add_widgets(
            self._graph("Runs", [own("Runs"), own("FailedRuns")]),
            self._graph("Configs", [own("RejectedConfigs"), own("ConfigProblems")]),
        )
        dashboard.add_widgets(
            self._search("Duration of runs, in seconds", "DatasetGroup", "RunDuration", "Maximum"),
            self._search(
                "Duration of resources, in seconds",
                "DatasetGroup,ResourceType",
                "ResourceDuration",
                "Maximum",
            ),
        )
        dashboard.add_widgets(
            self._search(
                "Waits for a quota or a throttle, in seconds",
                "DatasetGroup,ResourceType",
                "ResourceWait",
                "Maximum",
            )
        )
        dashboard.add_widgets(
            self._graph(
                "Workflows",
                [
                    metric
                    for machine in machines
                    for metric in (machine.metric_started(), machine.metric_failed())
                ],
            ),
            self._functions(),
        )

    def _alarms(
        self,
        undelivered: sqs.IQueue,
        schedule_group: str,
        machines: Sequence[sfn.StateMachine],
    ) -> None:
        self._alarm("RunFailed", own("FailedRuns"), "A run failed; its report says why.")
        self._alarm(
            "DeadLetters",
            undelivered.metric_approximate_number_of_messages_visible(
                period=Duration.minutes(5), statistic="Maximum"
            ),
            "An event could not be delivered and is in the dead-letter queue.",
        )
        for name in ("TargetErrorCount", "InvocationDroppedCount"):
            metric = cloudwatch.Metric(
                namespace="AWS/Scheduler",
                metric_name=name,
                dimensions_map={"ScheduleGroup": schedule_group},
                statistic="Sum",
                period=Duration.minutes(5),
            )
            self._alarm(
                f"Schedule{name}", metric, "A schedule did not run when it should: " + name + "."
            )
        for machine, what in zip(machines, ("Provisioning", "ScheduledTask"), strict=True):
            metric = machine.metric_timed_out(period=Duration.minutes(5))
            self._alarm(f"{what}TimedOut", metric, f"The {what} workflow took longer than it may.")
        self._alarm(
            "TaskFailed",
            machines[1].metric_failed(period=Duration.minutes(5)),
            "A scheduled task failed; its run's report says why, if it came to that.",
        )

    def _alarm(self, id: str, metric: cloudwatch.IMetric, description: str) -> None:
        alarm = cloudwatch.Alarm(
            self,
            id,
            metric=metric,
            threshold=1,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=description,
        )
        alarm.add_alarm_action(actions.SnsAction(self._topic))

    def _of_models(self, name: str) -> cloudwatch.IWidget:
        title = name.replace("_", " ")
        return self._search(f"Models: {title}", "DatasetGroup,Solution", name, "Average")

    @staticmethod
    def _search(title: str, dimensions: str, metric: str, statistic: str) -> cloudwatch.IWidget:
        """Show a metric of every dataset group there is, also of those yet to come."""
        schema = f"{{{NAMESPACE},Stack,{dimensions}}}"
        found = f'{schema} Stack="{Aws.STACK_NAME}" MetricName="{metric}"'
        expression = f"SEARCH('{found}', '{statistic}', 3600)"
        return cloudwatch.GraphWidget(
            title=title,
            width=12,
            left=[cloudwatch.MathExpression(expression=expression, label="", period=HOUR)],
        )

    @staticmethod
    def _graph(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.IWidget:
        return cloudwatch.GraphWidget(title=title, width=12, left=list(metrics))

    @staticmethod
    def _functions() -> cloudwatch.IWidget:
        """Show the errors of all functions of the stack: any is a fault of ours."""
        found = '{AWS/Lambda,FunctionName} MetricName="Errors" "' + Aws.STACK_NAME + '"'
        return cloudwatch.GraphWidget(
            title="Errors of functions",
            width=12,
            left=[
                cloudwatch.MathExpression(
                    expression=f"SEARCH('{found}', 'Sum', 3600)", label="", period=HOUR
                )
            ],
        )


def own(name: str) -> cloudwatch.Metric:
    """Return a metric that the functions put, summed over the whole stack."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={"Stack": Aws.STACK_NAME},
        statistic="Sum",
        period=Duration.minutes(5),
    )
