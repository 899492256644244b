"""The ensure functions: one handler, and for each resource type a function and a role."""

from __future__ import annotations

from aws_cdk import Aws, Duration
from constructs import Construct

from mpe.infrastructure.functions import HandlerFunction, personalize_arn
from mpe.infrastructure.rooms import Rooms
from mpe.infrastructure.service_role import ServiceRole
from mpe.model.plan.waits import FUNCTION_SECONDS
from mpe.model.service.spec import SPECS, ResourceSpec

COUNTING, USUAL = 1024, 512
"""MB of memory: of the function that counts the data of imports, and of the others."""
COUNT_SECONDS = 30
"""How long that counts, before it leaves the data to the function for large data."""


class EnsureFunction(HandlerFunction):
    """Ensures resources of one type, with exactly the actions of its row in the table."""

    def __init__(
        self,
        scope: Construct,
        spec: ResourceSpec,
        *,
        rooms: Rooms,
        service_role: ServiceRole,
    ) -> None:
        super().__init__(
            scope,
            f"Ensure{spec.noun}",
            package=rooms.package,
            handler="ensure",
            description=f"Move a {spec.noun} of Amazon Personalize towards its desired state",
            environment={
                "TURNS_TABLE": rooms.turns.table_name,
                **rooms.environment(),
                **({"COUNT_SECONDS": str(COUNT_SECONDS)} if spec.inspects else {}),
            },
            timeout=Duration.seconds(FUNCTION_SECONDS),
            memory_size=COUNTING if spec.inspects else USUAL,
        )
        self._act_on(spec, service_role)
        self._read(spec, rooms)
        self.allow(["dynamodb:PutItem"], [rooms.ledger.table_arn])
        if spec.has_status:  # else there is nothing to wait for, nor to remember of waits
            self.allow(["dynamodb:GetItem"], [rooms.ledger.table_arn])
        if spec.measured:
            self._judge(rooms)
        if spec.noun == "Campaign":
            let_ask(self, rooms)
            self.allow(["dynamodb:Query"], [rooms.ledger.table_arn])  # the moves before
        if spec.inspects:  # the pointers, and the profiles of the imports before
            self.allow(["dynamodb:Query"], [rooms.ledger.table_arn])
        self.allow(["dynamodb:GetItem", "dynamodb:PutItem"], [rooms.turns.table_arn])
        self.allow(["events:PutEvents"], [rooms.bus.event_bus_arn])

    def _act_on(self, spec: ResourceSpec, service_role: ServiceRole) -> None:
        """Let it call what its row says, and pass the service's role where that needs one."""
        self.allow(
            spec.actions,
            [personalize_arn(self, spec.iam_resource)],
            because="Users name their resources; this function is for one type of them.",
        )
        lists = dict.fromkeys((*spec.list_actions, *spec.apart_actions))
        if lists:
            self.allow(
                tuple(lists),
                ["*"],
                because="The service has no resource-level permission for its lists.",
            )
        self._allow_creation_in_others(spec)
        if spec.passes_role:
            self.allow(
                ["iam:PassRole"],
                [service_role.role_arn],
                StringEquals={"iam:PassedToService": "personalize.amazonaws.com"},
            )

    def _judge(self, rooms: Rooms) -> None:
        """Let it compare a version with those before it, and with what the campaigns serve."""
        campaign = SPECS["Campaign"]
        self.allow(["dynamodb:Query"], [rooms.ledger.table_arn])
        self.allow(
            [f"personalize:{campaign.describe}"],
            [personalize_arn(self, campaign.iam_resource)],
            because="Users name their campaigns; a new version is judged for each of them.",
        )

    def _read(self, spec: ResourceSpec, rooms: Rooms) -> None:
        """Let it read the desired state, and look at the data where that decides something."""
        self.allow(
            ["s3:GetObject"],
            [rooms.bucket.arn_for_objects("state/*")],
            because="Reads the desired state of whichever dataset group it is called for.",
        )
        if spec.watches:
            prefix = f"{spec.watches}/*"
            self.allow(
                ["s3:ListBucket"], [rooms.bucket.bucket_arn], StringLike={"s3:prefix": prefix}
            )
        if spec.inspects:
            self.allow(
                ["s3:GetObject"],
                [rooms.bucket.arn_for_objects(f"{spec.watches}/*")],
                because="Looks at the first rows of the CSVs of whichever dataset it imports.",
            )

    def _allow_creation_in_others(self, spec: ResourceSpec) -> None:
        """Grant what ensuring one takes on its parent, and its creation on recipes.

        A creation is checked on the parent too, as AWS's authorization data has it. The data has
        no recipe there, but the AWS solution, which runs in accounts, grants it.
        """
        if spec.parent_actions and spec.parent:
            self.allow(
                spec.parent_actions,
                [personalize_arn(self, SPECS[spec.parent].iam_resource)],
                because="Users name their resources; making one is checked on its parent too.",
            )
        if spec.by_recipe:
            self.allow(
                [f"personalize:{spec.create}"],
                [f"arn:{Aws.PARTITION}:personalize:::recipe/*"],
                because="Users choose the recipe; the service's own are in no account.",
            )


def let_ask(function: HandlerFunction, rooms: Rooms) -> None:
    """Let a function ask campaigns, for users of the data or for those given."""
    campaign = SPECS["Campaign"]
    calls = ("GetRecommendations", "GetPersonalizedRanking", "GetActionRecommendations")
    function.allow(
        [f"personalize:{one}" for one in calls],
        [personalize_arn(function, campaign.iam_resource)],
        because="Users name their resources; campaigns are asked before and after they move.",
    )
    for folder in ("train", "smoke"):
        function.allow(
            ["s3:GetObject"],
            [rooms.bucket.arn_for_objects(f"{folder}/*")],
            because="Asks whichever campaign for users of its data, or for those given.",
        )
    function.allow(
        ["s3:ListBucket"], [rooms.bucket.bucket_arn], StringLike={"s3:prefix": "train/*"}
    )
