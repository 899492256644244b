"""One row per Amazon Personalize resource type; everything else derives from these rows.

The ensure functions, their IAM statements, the workflow's stages, the plan and the
notifications all read this table, so a resource type costs one row. What the service does
irregularly is a field with a comment, never an ``if`` on the noun elsewhere. The rows are
tested against botocore's service model, not against ourselves.

Sources: the API reference (https://docs.aws.amazon.com/personalize/latest/dg/API_Reference.html)
and, for the ARNs and the actions' resources, the service authorization reference
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonpersonalize.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

MINUTE = 60
HOUR = 60 * MINUTE

ACTIVE = "ACTIVE"
INACTIVE = "INACTIVE"
"""A recommender that somebody stopped; it costs nothing until it is started again."""
DONE = frozenset({ACTIVE, INACTIVE, "COMPLETED"})
"""Statuses that wait for nothing; a data deletion job alone ends as COMPLETED."""
FAILED = frozenset(
    {
        "CREATE FAILED",
        "CREATE STOPPED",
        "FAILED",
        *(f"{what} FAILED" for what in ("DELETE", "UPDATE", "START", "STOP")),
    }
)
"""Statuses that no waiting will mend; the last four the API reference does not tell of."""
UNDER_WAY = frozenset(
    {
        *(f"{what} PENDING" for what in ("CREATE", "DELETE", "UPDATE", "START", "STOP")),
        *(f"{what} IN_PROGRESS" for what in ("CREATE", "DELETE", "UPDATE", "START", "STOP")),
        "CREATE STOPPING",
        "PENDING",
        "IN_PROGRESS",
        "IN PROGRESS",  # of batch jobs, as the API reference spells it
    }
)
"""Statuses that change by themselves. One that is in none of these sets nobody knows."""


def _lists(operations: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"personalize:{one}" for one in dict.fromkeys(operations))


@dataclass(frozen=True, kw_only=True)
class ResourceSpec:
    """How one resource type is created, found, compared, updated and waited for."""

    noun: str
    """``Campaign``: the operations CreateCampaign, DescribeCampaign, ... follow from it."""
    arn: str
    """The ARN's resource part; ``{name}`` and ``{group}`` are known before creation,
    ``{id}`` is minted by the service."""
    list_key: str
    """The list operation's output member; ListFilters alone capitalises it."""
    listed_by: str | None = None
    """The list operation's filter, which is also the create parameter naming the parent."""
    name_param: Literal["name", "jobName"] | None = "name"
    """The create parameter that names it; jobs say ``jobName``, a version may go unnamed."""
    repeatable: bool = False
    """A job or a version: history, of which the newest counts and a failed one is made anew."""
    unsure: bool = False
    """Whether it costs much, and nothing but its name tells that a creation was asked for before:
    what may have been made is looked for before it is asked for again."""
    outlives_parent: bool = False
    """Its history may stay when its parent is deleted, and a parent that is made anew has the
    same ARN: what is older than the parent does not count."""
    grouped_by_parent: bool = False
    """Describe tells its parent and not its dataset group, which only the parent tells."""
    one_per_parent: bool = False
    """The parent holds one of these, so it is found by listing, whatever its name."""
    told_apart_by: frozenset[str] = frozenset()
    """The create parameters that tell a parent's jobs apart, where several different ones
    are wanted: a job that differs in one of them is another job."""
    mutable: frozenset[str] = frozenset()
    """The create parameters that the Update operation can converge; ``outer.inner`` for a
    member of one that it converges in part."""
    update_inside: Mapping[str, str] = field(default_factory=dict)
    """For a parameter that is converged in part, the update's parameter with those members."""
    first: Mapping[str, Any] = field(default_factory=dict)
    """What the first job of a parent must have, whatever the config says of the others."""
    mode: str | None = None
    """The create parameter that says whether all is done or a part, which takes a time of its
    own; without it all is done: ``FULL``."""
    parts: str | None = None
    """A create parameter whose items a list operation of their own returns, and an update
    adds and removes; they are told apart by their ``metricName``."""
    write_only: frozenset[str] = frozenset({"tags"})
    """Create parameters that matter at creation only: most of them Describe never returns."""
    documents: frozenset[str] = frozenset()
    """Create parameters that hold a JSON text, compared by meaning and not by spelling."""
    switches: Mapping[str, str] = field(default_factory=dict)
    """The operation that brings it to each status, where it can be started and stopped."""
    measured: bool = False
    """Whether the service measures it: GetSolutionMetrics."""
    has_status: bool = True
    """A schema is made synchronously and has no status."""
    update_status: str | None = None
    """Where Describe tells the progress of an update; the resource itself stays ACTIVE."""
    passes_role: bool = False
    """Its creation hands the service a role, which needs iam:PassRole."""
    reads: str | None = None
    """Where the create parameters say which of the users' data in S3 it reads."""
    watches: Literal["train", "batch"] | None = None
    """The folder of the users' data in S3 where newer data makes it stale."""
    follows: str | None = None
    """The noun of the jobs of its datasets of which a newer one makes it stale."""
    apart_from: tuple[str, ...] = ()
    """The nouns of what must not be under way in its dataset group when it is made."""
    inspects: bool = False
    """Whether the first rows of its data are looked at before it is created."""
    writes: str | None = None
    """Where the create parameters say which place in S3 it writes to."""
    writes_below: str | None = None
    """The folder of the data bucket that it writes to."""
    section: Literal["one", "many", "solution"] | None = None
    """Which section of a config it has: one at the top of the file, ``eventTracker``; a list
    there, ``filters``; or a list in each solution, ``campaigns``. Without it it is part of
    another's."""
    filled: frozenset[str] = frozenset()
    """The create parameters that the workflow fills in."""
    tagged: bool = True
    """Whether the create operation takes tags."""
    marked: bool = False
    """Whether one of its tags names the stack that maintains it."""
    by_recipe: bool = False
    """Whether it is made by a recipe, which its creation may be checked on as well."""
    authorized_as: str | None = None
    """The resource part that IAM checks where it is not the type's own."""
    typical_seconds: int = 0
    """How long creation usually takes, before this account's own durations are known.

    Of groups, datasets, imports, solutions, versions, campaigns and batch jobs it is the median in
    the kept outputs of public notebooks, which ``benchmarks/drawn.py`` tells more of; nothing was
    found of the other types, of which it is a guess."""
    typical_spread: float | None = None
    """By how much that differs in public: the standard deviation of its logarithm, where there are
    enough to tell that it is little."""
    needs: tuple[str, ...] = field(default=())
    """Nouns of resources that must be ACTIVE first."""

    @property
    def key(self) -> str:
        """``datasetImportJob``: the member under which Describe answers."""
        return self.noun[0].lower() + self.noun[1:]

    @property
    def arn_key(self) -> str:
        """``datasetImportJobArn``."""
        return f"{self.key}Arn"

    @property
    def parent(self) -> str | None:
        """The noun of the type that it is listed by: ``Dataset`` of ``datasetArn``."""
        return self.listed_by[0].upper() + self.listed_by[1:-3] if self.listed_by else None

    @property
    def create(self) -> str:
        return f"Create{self.noun}"

    @property
    def describe(self) -> str:
        return f"Describe{self.noun}"

    @property
    def list(self) -> str:
        return f"List{self.noun}s"

    @property
    def update(self) -> str | None:
        return f"Update{self.noun}" if self.mutable else None

    @property
    def list_parts(self) -> str | None:
        """``ListMetricAttributionMetrics``."""
        return f"List{self.noun}{self.parts.capitalize()}" if self.parts else None

    @property
    def minted(self) -> bool:
        """Whether only the service knows the ARN, so that the resource must be looked up."""
        return "{id}" in self.arn

    @property
    def listed(self) -> bool:
        """Whether finding it takes the list operation."""
        return self.minted or self.repeatable or self.one_per_parent

    @property
    def iam_resource(self) -> str:
        """The resource part of the ARN pattern that its actions are granted on."""
        return (self.authorized_as or self.arn.split("/")[0]) + "/*"

    @property
    def actions(self) -> tuple[str, ...]:
        """IAM actions with resource-level permissions that ensuring one takes."""
        operations = [self.create, self.describe]
        if self.update:
            operations.append(self.update)
        operations.extend(self.switches.values())
        if self.measured:
            operations.append("GetSolutionMetrics")
        if self.tagged:
            operations.append("TagResource")
        if self.marked:
            operations.append("ListTagsForResource")
        return tuple(f"personalize:{operation}" for operation in operations)

    @property
    def parent_actions(self) -> tuple[str, ...]:
        """IAM actions on its parent that ensuring one takes.

        The service authorization reference requires the parent for most creations, and does not
        forbid it for the one that it leaves out.
        """
        if self.parent is None or SPECS[self.parent].iam_resource == self.iam_resource:
            return ()
        operations = [self.create]
        if self.outlives_parent or self.grouped_by_parent:
            operations.append(SPECS[self.parent].describe)
        return tuple(f"personalize:{operation}" for operation in operations)

    @property
    def list_actions(self) -> tuple[str, ...]:
        """IAM actions that observing one takes; the service authorizes lists on ``*`` only."""
        followed = SPECS[self.follows].list if self.follows else None
        operations = (self.list if self.listed else None, self.list_parts, followed)
        return _lists(one for one in operations if one)

    @property
    def apart_actions(self) -> tuple[str, ...]:
        """IAM actions that finding what one must not run beside takes."""
        return _lists(one for noun in self.apart_from for one in SPECS[noun].listed_in_group)

    @property
    def listed_in_group(self) -> tuple[str, ...]:
        """The list operations that finding all of a dataset group takes.

        A version's jobs are found among the account's, by the solutions of the group.
        """
        if self.parent in {None, "DatasetGroup"}:
            return (self.list,)
        parent = "Solution" if self.parent == "SolutionVersion" else str(self.parent)
        return (*SPECS[parent].listed_in_group, self.list)


_ROWS = (
    ResourceSpec(
        noun="DatasetGroup",
        arn="dataset-group/{name}",
        list_key="datasetGroups",
        # The role that it was created with cannot be changed, and need not be ours.
        write_only=frozenset({"tags", "roleArn"}),
        passes_role=True,  # only beside a KMS key
        marked=True,
        typical_seconds=28,
    ),
    ResourceSpec(
        noun="Schema",
        arn="schema/{name}",
        list_key="schemas",
        documents=frozenset({"schema"}),
        has_status=False,
        tagged=False,
        filled=frozenset({"domain"}),
    ),
    ResourceSpec(
        noun="Dataset",
        arn="dataset/{group}/{type}",
        list_key="datasets",
        listed_by="datasetGroupArn",
        mutable=frozenset({"schemaArn"}),
        update_status="latestDatasetUpdate",
        typical_seconds=22,
        needs=("DatasetGroup", "Schema"),
        filled=frozenset({"schemaArn", "datasetGroupArn", "datasetType"}),
    ),
    ResourceSpec(
        noun="MetricAttribution",
        arn="metric-attribution/{name}",
        list_key="metricAttributions",
        listed_by="datasetGroupArn",
        one_per_parent=True,
        mutable=frozenset({"metrics", "metricsOutputConfig"}),
        parts="metrics",
        passes_role=True,
        writes="metricsOutputConfig.s3DataDestination.path",
        tagged=False,
        typical_seconds=15,
        needs=("DatasetGroup", "Dataset"),
        section="one",
        writes_below="metric-attribution",
        filled=frozenset({"datasetGroupArn", "metricsOutputConfig"}),
    ),
    ResourceSpec(
        noun="DatasetImportJob",
        arn="dataset-import-job/{name}",
        list_key="datasetImportJobs",
        listed_by="datasetArn",
        name_param="jobName",
        repeatable=True,
        outlives_parent=True,
        # An incremental import adds to what a full one has brought.
        first={"importMode": "FULL"},
        mode="importMode",
        passes_role=True,
        reads="dataSource.dataLocation",
        watches="train",
        inspects=True,
        typical_seconds=330,
        apart_from=("DataDeletionJob",),
        needs=("Dataset",),
        filled=frozenset({"jobName", "datasetArn", "dataSource", "roleArn"}),
    ),
    ResourceSpec(
        noun="DataDeletionJob",
        arn="data-deletion-job/{name}",
        list_key="dataDeletionJobs",
        listed_by="datasetGroupArn",
        name_param="jobName",
        repeatable=True,
        outlives_parent=True,
        passes_role=True,
        reads="dataSource.dataLocation",
        watches="train",
        follows="DatasetImportJob",
        typical_seconds=4 * HOUR,
        # https://docs.aws.amazon.com/personalize/latest/dg/delete-records.html
        apart_from=(
            "DatasetImportJob",
            "DatasetExportJob",
            "Recommender",
            "SolutionVersion",
            "BatchInferenceJob",
            "BatchSegmentJob",
        ),
        needs=("DatasetImportJob",),
        section="one",
        filled=frozenset({"jobName", "datasetGroupArn", "dataSource", "roleArn"}),
    ),
    ResourceSpec(
        noun="DatasetExportJob",
        arn="dataset-export-job/{name}",
        list_key="datasetExportJobs",
        listed_by="datasetArn",
        name_param="jobName",
        repeatable=True,
        outlives_parent=True,
        told_apart_by=frozenset({"ingestionMode"}),
        follows="DatasetImportJob",
        passes_role=True,
        writes="jobOutput.s3DataDestination.path",
        typical_seconds=15 * MINUTE,
        apart_from=("DataDeletionJob",),
        needs=("DatasetImportJob",),
        writes_below="export",
        filled=frozenset({"jobName", "datasetArn", "jobOutput", "roleArn"}),
    ),
    ResourceSpec(
        noun="EventTracker",
        arn="event-tracker/{id}",
        list_key="eventTrackers",
        listed_by="datasetGroupArn",
        one_per_parent=True,
        typical_seconds=15,
        needs=("DatasetGroup", "Dataset"),
        section="one",
        filled=frozenset({"datasetGroupArn"}),
    ),
    ResourceSpec(
        noun="Filter",
        arn="filter/{name}",
        list_key="Filters",
        listed_by="datasetGroupArn",
        typical_seconds=15,
        needs=("DatasetGroup", "Dataset"),
        section="many",
        filled=frozenset({"datasetGroupArn"}),
    ),
    ResourceSpec(
        noun="Recommender",
        arn="recommender/{name}",
        list_key="recommenders",
        listed_by="datasetGroupArn",
        mutable=frozenset({"recommenderConfig"}),
        update_status="latestRecommenderUpdate",
        switches={ACTIVE: "StartRecommender", INACTIVE: "StopRecommender"},
        by_recipe=True,
        typical_seconds=HOUR,
        apart_from=("DataDeletionJob",),
        needs=("DatasetGroup", "Dataset", "DatasetImportJob"),
        section="many",
        filled=frozenset({"datasetGroupArn"}),
    ),
    ResourceSpec(
        noun="Solution",
        arn="solution/{name}",
        list_key="solutions",
        listed_by="datasetGroupArn",
        mutable=frozenset(
            {
                "performAutoTraining",
                "performIncrementalUpdate",
                "solutionConfig.autoTrainingConfig",
                "solutionConfig.eventsConfig",
            }
        ),
        filled=frozenset({"datasetGroupArn"}),
        update_inside={"solutionConfig": "solutionUpdateConfig"},
        by_recipe=True,
        update_status="latestSolutionUpdate",
        typical_seconds=1,
        needs=("DatasetGroup", "Dataset", "DatasetImportJob"),
    ),
    ResourceSpec(
        noun="SolutionVersion",
        arn="solution/{solution}/{id}",
        list_key="solutionVersions",
        listed_by="solutionArn",
        name_param=None,
        repeatable=True,
        unsure=True,  # the ARN has an id, and no page promises that a name is refused twice
        authorized_as="solution",
        mode="trainingMode",
        measured=True,
        typical_seconds=2_250,
        apart_from=("DataDeletionJob",),
        needs=("Solution",),
        filled=frozenset({"name", "solutionArn"}),
    ),
    ResourceSpec(
        noun="Campaign",
        arn="campaign/{name}",
        list_key="campaigns",
        # Listed by solution although it is created from a solution version.
        listed_by="solutionArn",
        grouped_by_parent=True,
        mutable=frozenset({"solutionVersionArn", "minProvisionedTPS", "campaignConfig"}),
        update_status="latestCampaignUpdate",
        typical_seconds=10 * MINUTE,
        typical_spread=0.2,  # 480 to 660 s in six public outputs: 0.13, and more since they are few
        needs=("SolutionVersion",),
        section="solution",
    ),
    ResourceSpec(
        noun="BatchInferenceJob",
        arn="batch-inference-job/{name}",
        list_key="batchInferenceJobs",
        listed_by="solutionVersionArn",
        name_param="jobName",
        repeatable=True,
        told_apart_by=frozenset(
            {
                "filterArn",
                "numResults",
                "batchInferenceJobConfig",
                "batchInferenceJobMode",
                "themeGenerationConfig",
            }
        ),
        section="solution",
        writes_below="batch",
        filled=frozenset({"jobInput", "jobOutput", "roleArn", "solutionVersionArn"}),
        passes_role=True,
        reads="jobInput.s3DataSource.path",
        watches="batch",
        writes="jobOutput.s3DataDestination.path",
        typical_seconds=16 * MINUTE,
        apart_from=("DataDeletionJob",),
        needs=("SolutionVersion", "Filter"),
    ),
    ResourceSpec(
        noun="BatchSegmentJob",
        arn="batch-segment-job/{name}",
        list_key="batchSegmentJobs",
        listed_by="solutionVersionArn",
        name_param="jobName",
        repeatable=True,
        told_apart_by=frozenset({"filterArn", "numResults"}),
        passes_role=True,
        reads="jobInput.s3DataSource.path",
        watches="batch",
        writes="jobOutput.s3DataDestination.path",
        typical_seconds=16 * MINUTE,
        apart_from=("DataDeletionJob",),
        needs=("SolutionVersion", "Filter"),
        section="solution",
        writes_below="batch",
        filled=frozenset({"jobInput", "jobOutput", "roleArn", "solutionVersionArn"}),
    ),
)

SPECS: dict[str, ResourceSpec] = {spec.noun: spec for spec in _ROWS}
"""Every resource type by its noun, in the order in which a dataset group is built."""


READ = tuple(dict.fromkeys(spec.watches for spec in _ROWS if spec.watches))
"""The folders of the data bucket in which the service reads."""
WRITTEN = tuple(sorted({spec.writes_below for spec in _ROWS if spec.writes_below}))
"""The folders of the data bucket that the service writes to."""
