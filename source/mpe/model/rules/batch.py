"""Batch jobs."""

from mpe.model.rules.record import Rule

_GUIDE = "https://docs.aws.amazon.com/personalize/latest/dg"

FILTER = Rule(
    "MPE-B001",
    "A batch job's filter is one of this config's",
    "A filter reads the fields of its own dataset group, and must be there before the job.",
    f"{_GUIDE}/filter-batch.html",
)
INFERENCE = Rule(
    "MPE-B002",
    "A recipe makes batch recommendations where its solution has such jobs",
    "The service refuses batch inference jobs of the other recipes.",
    f"{_GUIDE}/getting-batch-recommendations.html",
)
SEGMENTS = Rule(
    "MPE-B003",
    "A recipe makes segments where its solution has such jobs",
    "The service refuses batch segment jobs of the other recipes.",
    f"{_GUIDE}/getting-user-segments.html",
)
THEMES = Rule(
    "MPE-B004",
    "A recipe finds themes where a batch job asks for them",
    "Themes are of Similar-Items only.",
    f"{_GUIDE}/themed-batch-recommendations.html",
)
THEMES_CONFIG = Rule(
    "MPE-B005",
    "A batch job with themes says which column names the items",
    "The service words themes from the items' names.",
    f"{_GUIDE}/themed-batch-recommendations.html",
)
NO_THEMES = Rule(
    "MPE-B006",
    "A batch job with a config of themes asks for themes",
    "Without its mode the job would run, be billed and find none.",
    f"{_GUIDE}/API_CreateBatchInferenceJob.html",
)
