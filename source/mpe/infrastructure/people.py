"""What people may be given: to decide of models, without leave to upload a config."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from mpe.infrastructure.functions import personalize_arn
from mpe.infrastructure.reasons import accept_wildcard
from mpe.infrastructure.rooms import Rooms
from mpe.model.service.spec import SPECS

NAMED = "Users name their resources; who decides of models looks at those of any dataset group."


class ModelApprover(iam.ManagedPolicy):
    """Lets people approve, reject, roll back, freeze and look at models, and accept data.

    It has what ``mpe approve`` and its like call, and no leave to write to the data bucket, so that
    who may upload a config need not be who may decide.
    """

    def __init__(self, scope: Construct, rooms: Rooms, *, machine: sfn.StateMachine) -> None:
        super().__init__(
            scope,
            "ModelApprover",
            description="Approve, reject, roll back and freeze models of Amazon Personalize, "
            "with the command mpe",
        )
        stack = Stack.of(self).format_arn(
            service="cloudformation", resource="stack", resource_name=f"{Aws.STACK_NAME}/*"
        )
        because = "The command names the stack by its name, of which the last part is its own."
        self._allow(["cloudformation:DescribeStacks"], [stack], because=because)
        tables = [rooms.ledger.table_arn, rooms.turns.table_arn]
        self._allow(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"], tables)
        self._allow(["dynamodb:DeleteItem"], [rooms.turns.table_arn])  # the turn is given back
        self._allow(["events:PutEvents"], [rooms.bus.event_bus_arn])
        self._allow(
            ["s3:GetObject"],
            [rooms.bucket.arn_for_objects("state/*")],
            because="Reads what the newest config of whichever dataset group asks for.",
        )
        self._ask_after_runs(machine)
        self._look_at_models()

    def _ask_after_runs(self, machine: sfn.StateMachine) -> None:
        """A decision waits for the end of a run, whose execution it asks after."""
        executions = Stack.of(self).format_arn(
            service="states",
            resource="execution",
            resource_name=f"{machine.state_machine_name}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        self._allow(
            ["states:DescribeExecution"], [executions], because="Runs are named as they start."
        )

    def _look_at_models(self) -> None:
        campaign, version, group = (
            SPECS[noun] for noun in ("Campaign", "SolutionVersion", "DatasetGroup")
        )
        for actions, spec in (
            ((campaign.describe, "UpdateCampaign"), campaign),
            ((version.describe, "GetSolutionMetrics"), version),
            ((group.describe,), group),
        ):
            on = personalize_arn(self, spec.iam_resource)
            self._allow([f"personalize:{one}" for one in actions], [on], because=NAMED)
        lists = ("ListCampaigns", "ListSolutionVersions", "ListSolutions")
        self._allow(
            [f"personalize:{one}" for one in lists],
            ["*"],
            because="The service has no resource-level permission for its lists.",
        )

    def _allow(self, actions: Sequence[str], on: Sequence[str], *, because: str = "") -> None:
        for resource in on:
            if because:
                accept_wildcard(self, resource, because)
        self.add_statements(iam.PolicyStatement(actions=list(actions), resources=list(on)))
