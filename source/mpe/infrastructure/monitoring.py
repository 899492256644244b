"""The dashboard, and alarms to the same topic as the runs' reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

NAMESPACE = "PersonalizedExperiences"
"""Where the functions put their metrics (:mod:`mpe.handlers.gauges`)."""
FIVE_MINUTES, AN_HOUR = Duration.minutes(5), Duration.hours(1)
MOST_METRICS = 10
"""How many metrics an alarm may be of."""
FOUR_WEEKS = Duration.days(28)
"""What the dashboard opens at: most trainings are weekly, and a month shows how they go."""
MODEL_METRICS = (
    "precision_at_10",
    "normalized_discounted_cumulative_gain_at_10",
    "mean_reciprocal_rank_at_25",
    "coverage",
)
FAILED_RUNS = (
    "filter message = 'finished' and verdict.succeeded = 0",
    "fields @timestamp, correlation_id as run, verdict.error, verdict.cause",
    "sort @timestamp desc",
    "limit 10",
)
MODELS = (
    "filter ispresent(Solution)",
    f"fields @timestamp, DatasetGroup, Solution, {', '.join(MODEL_METRICS)}",
    "sort @timestamp desc",
    "limit 50",
)
RUN_DURATIONS = (
    "filter ispresent(RunDuration) and ispresent(DatasetGroup)",
    "stats count(*) as runs, avg(RunDuration), max(RunDuration) by DatasetGroup",
)
RESOURCE_DURATIONS = (
    "filter ispresent(ResourceDuration) or ispresent(ResourceWait)",
    "stats avg(ResourceDuration), max(ResourceDuration), max(ResourceWait) by DatasetGroup, "
    "ResourceType",
)
WHAT_TO_DO = f"""# {Aws.STACK_NAME}
* **How is it?** `mpe status`
* **A run failed**: its mail says what to do; `mpe runs show RUN` and `mpe logs RUN` tell more.
* **A function broke down**: the graph at the end shows which; `mpe logs RUN --errors`.
* **A schedule did not run**: `mpe schedule list`
* **A config was rejected**: `mpe validate config.json`
"""


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
        machines: Mapping[str, sfn.StateMachine],
        functions: Sequence[lambda_.Function],
    ) -> None:
        super().__init__(scope, id)
        self._topic = topic
        self._alarms(undelivered, schedule_group)
        self._alarms_of_machines(machines)
        self._alarms_of_functions(functions)
        self._dashboard(undelivered, machines, functions)

    def _dashboard(
        self,
        undelivered: sqs.IQueue,
        machines: Mapping[str, sfn.StateMachine],
        functions: Sequence[lambda_.Function],
    ) -> None:
        dashboard = cloudwatch.Dashboard(self, "Dashboard", default_interval=FOUR_WEEKS)
        alarms = [one for one in self.node.find_all() if isinstance(one, cloudwatch.Alarm)]
        dashboard.add_widgets(
            cloudwatch.TextWidget(markdown=WHAT_TO_DO, width=8, height=6),
            cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=16, height=6),
        )
        dashboard.add_widgets(self._of_logs("The last runs that failed", FAILED_RUNS, functions))
        dashboard.add_widgets(
            self._graph("Runs", [own("Runs"), own("FailedRuns")]),
            self._graph("Configs", [own("RejectedConfigs"), own("ConfigProblems")]),
        )
        dashboard.add_widgets(self._of_logs("Models, the newest first", MODELS, functions))
        dashboard.add_widgets(
            self._of_logs("Runs, in seconds", RUN_DURATIONS, functions, width=12),
            self._of_logs("Resources, in seconds", RESOURCE_DURATIONS, functions, width=12),
        )
        dashboard.add_widgets(
            self._graph(
                "Workflows",
                [
                    metric
                    for machine in machines.values()
                    for metric in (machine.metric_started(), machine.metric_failed())
                ],
            ),
            self._graph("Errors of functions", [one.metric_errors() for one in functions]),
        )
        dashboard.add_widgets(
            self._graph(
                "Mails and alarms",
                [
                    self._topic.metric_number_of_notifications_delivered(),
                    self._topic.metric_number_of_notifications_failed(),
                ],
            ),
            self._graph(
                "Letters that could not be delivered",
                [undelivered.metric_approximate_number_of_messages_visible(statistic="Maximum")],
            ),
        )

    def _alarms(self, undelivered: sqs.IQueue, schedule_group: str) -> None:
        """Tell of what failed, and of each letter anew.

        How many lie in the queue would be no measure: an alarm tells when it begins, and lasts for
        as long as the first letter lies there, two weeks. Events, functions and schedules send
        their letters themselves, so they count as sent
        (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html).
        """
        self._alarm(
            "RunFailed",
            own("FailedRuns"),
            "A run failed: its mail says why, and so does `mpe runs`.",
        )
        self._alarm(
            "RolledBack",
            own("Rollbacks"),
            "The gate rolled a campaign back to the version before. Which one: `mpe models GROUP`.",
        )
        self._alarm(
            "WorseRecommenders",
            own("WorseRecommenders"),
            "The service has trained a recommender anew that the gate would hold, and serves it: "
            "nothing of a recommender can be held. Which one: `mpe models GROUP`.",
        )
        for name, told in (
            ("HeldModels", "A model has been held for more than a day"),
            (
                "OldModels",
                "A campaign serves a model more than twice as old as its schedule lets it be",
            ),
        ):
            which = f"{told}. Which one: `mpe models GROUP`."
            measured = own(name).with_(period=AN_HOUR, statistic="Maximum")
            # Of an hour in which nobody looked nothing is known: it stays as it is.
            self._alarm(name, measured, which, missing=cloudwatch.TreatMissingData.IGNORE)
        self._alarm(
            "DeadLetters",
            undelivered.metric_number_of_messages_sent(period=FIVE_MINUTES, statistic="Sum"),
            "An event could not be delivered and is in the dead-letter queue. What it is: "
            f"`aws sqs receive-message --queue-url {undelivered.queue_url}`.",
        )
        for name in ("TargetErrorCount", "InvocationDroppedCount"):
            metric = cloudwatch.Metric(
                namespace="AWS/Scheduler",
                metric_name=name,
                dimensions_map={"ScheduleGroup": schedule_group},
                statistic="Sum",
                period=FIVE_MINUTES,
            )
            told = f"A schedule did not run when it should: {name}. Which one: `mpe schedule list`."
            self._alarm(f"Schedule{name}", metric, told)

    def _alarms_of_machines(self, machines: Mapping[str, sfn.StateMachine]) -> None:
        """Tell of workflows that took too long; what else fails in them, a run's report tells."""
        for what, machine in machines.items():
            metric = machine.metric_timed_out(period=FIVE_MINUTES)
            told = f"The {what} workflow took longer than it may. What it did: `mpe runs`."
            self._alarm(f"{what}TimedOut", metric, told)
        self._alarm(
            "TaskFailed",
            machines["ScheduledTask"].metric_failed(period=FIVE_MINUTES),
            "A scheduled task failed: its run's mail says why, if it came to that. Which one: "
            "`mpe schedule list`.",
        )

    def _alarms_of_functions(self, functions: Sequence[lambda_.Function]) -> None:
        """Tell of functions that broke down, and of those that Lambda has no room for.

        An alarm takes no search and at most ten metrics
        (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html).
        A throttle is waited out, so only those of a quarter of an hour are told.
        """
        for number, first in enumerate(range(0, len(functions), MOST_METRICS), 1):
            some = functions[first : first + MOST_METRICS]
            self._alarm(
                f"FunctionErrors{number}",
                _sum([one.metric_errors(period=FIVE_MINUTES) for one in some]),
                "A function broke down: the dashboard shows which, and its log says why: "
                "`mpe logs RUN --errors`.",
            )
            self._alarm(
                f"FunctionThrottles{number}",
                _sum([one.metric_throttles(period=FIVE_MINUTES) for one in some]),
                "Lambda has had no room for a function for a quarter of an hour. What the account "
                "has: `aws lambda get-account-settings`.",
                periods=3,
            )

    def _alarm(
        self,
        id: str,
        metric: cloudwatch.IMetric,
        description: str,
        *,
        periods: int = 1,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            id,
            metric=metric,
            threshold=1,
            evaluation_periods=periods,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=missing,
            alarm_description=description,
        )
        alarm.add_alarm_action(actions.SnsAction(self._topic))

    @staticmethod
    def _of_logs(
        title: str,
        query: Sequence[str],
        functions: Sequence[lambda_.Function],
        *,
        width: int = 24,
    ) -> cloudwatch.IWidget:
        """Show what the functions wrote, for as long as their logs are kept.

        A search knows no metric that has reported nothing for two weeks, as a model's does that is
        trained each month
        (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html).
        A query takes up to 50 log groups
        (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html).
        """
        return cloudwatch.LogQueryWidget(
            title=title,
            log_group_names=[one.log_group.log_group_name for one in functions],
            query_lines=list(query),
            view=cloudwatch.LogQueryVisualizationType.TABLE,
            width=width,
            height=6,
        )

    @staticmethod
    def _graph(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.IWidget:
        return cloudwatch.GraphWidget(title=title, width=12, left=list(metrics))


def _sum(metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.MathExpression:
    """Return what several metrics are together."""
    names = {f"m{number}": metric for number, metric in enumerate(metrics)}
    return cloudwatch.MathExpression(
        expression=f"SUM([{', '.join(f'FILL({name}, 0)' for name in names)}])",
        using_metrics=names,
        period=FIVE_MINUTES,
    )


def own(name: str) -> cloudwatch.Metric:
    """Return a metric that the functions put, summed over the whole stack."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={"Stack": Aws.STACK_NAME},
        statistic="Sum",
        period=FIVE_MINUTES,
    )
