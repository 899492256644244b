"""Operational metrics: reports of runs to whoever maintains a release, unless opted out."""

from __future__ import annotations

from importlib.metadata import version

from aws_cdk import Aws, CfnCondition, CfnParameter, CfnResource, Fn
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from mpe.infrastructure.functions import HandlerFunction, Package
from mpe.infrastructure.notifications import RUNS, SOURCE


class Usage(Construct):
    """Report each run, where there is somewhere to report to and nobody opted out.

    With the parameters' defaults nothing of it is deployed: a release may set the endpoint.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        package: Package,
        bus: events.EventBus,
    ) -> None:
        super().__init__(scope, id)
        condition, endpoint = self._condition(scope)
        function = HandlerFunction(
            self,
            "Report",
            package=package,
            handler="usage",
            description="Report a run's use, without names",
            environment={
                "ENDPOINT": endpoint.value_as_string,
                "VERSION": version("mpe"),
                "INSTALLATION": Fn.select(2, Fn.split("/", Aws.STACK_ID)),
            },
            memory_size=256,
        )
        events.Rule(
            self,
            "Runs",
            event_bus=bus,
            description="Reports runs, without names",
            event_pattern=events.EventPattern(source=[SOURCE], detail_type=[RUNS]),
            # No dead letters: a report that is lost is no loss.
            targets=[targets.LambdaFunction(function, retry_attempts=2)],
        )
        for one in self.node.find_all():
            if isinstance(one, CfnResource):
                one.cfn_options.condition = condition

    @staticmethod
    def _condition(scope: Construct) -> tuple[CfnCondition, CfnParameter]:
        """Return when to report and where to, of the stack's own parameters."""
        send = CfnParameter(
            scope,
            "OperationalMetrics",
            default="Yes",
            allowed_values=["Yes", "No"],
            description="Whether each run's counts are reported, without names (see the docs)",
        )
        endpoint = CfnParameter(
            scope,
            "OperationalMetricsEndpoint",
            default="",
            description="Where runs are reported to; nothing is reported where it is empty",
            allowed_pattern=r"^$|^https://\S+$",
            constraint_description="must be empty or begin with https://",
        )
        wanted = Fn.condition_equals(send, "Yes")
        somewhere = Fn.condition_not(Fn.condition_equals(endpoint, ""))
        condition = CfnCondition(
            scope, "ReportsUse", expression=Fn.condition_and(wanted, somewhere)
        )
        return condition, endpoint
