"""The desired state: every resource that a config asks for, with names, ARNs and tags filled in.

ARNs are computed from names, never carried through the workflow; only what the service mints
(a solution version's ARN) is ``given`` while it runs. The desired state is saved to S3 and the
workflow carries the ids of its resources, so that its own state stays small whatever the
size of the config.
"""

from mpe.model.plan.desired.datasets import DATASET_TYPES, DELETIONS, INTERACTIONS_IMPORT
from mpe.model.plan.desired.making import CONFIG_NAME, config_of, folder_of
from mpe.model.plan.desired.records import (
    DELETE,
    KEEP,
    Data,
    Desired,
    DesiredState,
    Place,
    value_at,
    with_value,
)
from mpe.model.plan.desired.solutions import BATCH_INPUT, LATEST
from mpe.model.plan.desired.stages import (
    SOLUTION_STAGES,
    STAGES,
    SolutionStage,
    Stage,
    When,
    complete,
    desired_state,
)

__all__ = [
    "BATCH_INPUT",
    "CONFIG_NAME",
    "DATASET_TYPES",
    "DELETE",
    "DELETIONS",
    "INTERACTIONS_IMPORT",
    "KEEP",
    "LATEST",
    "SOLUTION_STAGES",
    "STAGES",
    "Data",
    "Desired",
    "DesiredState",
    "Place",
    "SolutionStage",
    "Stage",
    "When",
    "complete",
    "config_of",
    "desired_state",
    "folder_of",
    "value_at",
    "with_value",
]
