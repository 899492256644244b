"""Names and tags."""

from mpe.model.rules.record import Rule

_GUIDE = "https://docs.aws.amazon.com/personalize/latest/dg"

TWICE = Rule(
    "MPE-N001",
    "A name is used once for each type of resource",
    "The ARN is made from the name, so names are unique in an account and region, not just in a "
    "dataset group: the second one would be taken for the first.",
    f"{_GUIDE}/API_CreateCampaign.html",
)
JOB = Rule(
    "MPE-N002",
    "A job's name leaves room for the run's",
    "Each run makes a job of its own, and the service takes 63 characters.",
    f"{_GUIDE}/API_CreateBatchInferenceJob.html",
)
OUTPUT = Rule(
    "MPE-N003",
    "The place of a batch job's output is short enough",
    "It is made of the names of the dataset group, the solution and the job, and the service takes "
    "256 characters.",
    f"{_GUIDE}/API_S3DataConfig.html",
)
TAGS = Rule(
    "MPE-N004",
    "A resource has at most 50 tags",
    "The service refuses more, although its model would let 200 through.",
    f"{_GUIDE}/tagging-resources.html",
)
TAG_PREFIX = Rule(
    "MPE-N005",
    "No tag's key begins with aws:",
    "The prefix is reserved for AWS's own tags.",
    f"{_GUIDE}/tagging-resources.html",
)
TAG_TWICE = Rule(
    "MPE-N006",
    "Each tag's key is there once",
    "A resource has one value for each key.",
    f"{_GUIDE}/tagging-resources.html",
)
