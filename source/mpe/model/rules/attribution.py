"""Metric attributions."""

from mpe.model.rules.record import Rule

_SOURCE = "https://docs.aws.amazon.com/personalize/latest/dg/metric-attribution-requirements.html"

INTERACTIONS = Rule(
    "MPE-M001",
    "A metric attribution has an interactions dataset",
    "It measures what interactions followed a recommendation.",
    _SOURCE,
)
TWICE = Rule(
    "MPE-M002",
    "Each metric has a name of its own",
    "The reports tell metrics apart by their names.",
    _SOURCE,
)
EXPRESSION = Rule(
    "MPE-M003",
    "A metric is SAMPLECOUNT() or the SUM of a column",
    "The service knows no other functions, and sums columns of Interactions and Items only.",
    _SOURCE,
)
EVENT_TYPE = Rule(
    "MPE-M004",
    "A metric attribution has event types",
    "Each metric is of one event type, which the field EVENT_TYPE of the interactions tells.",
    _SOURCE,
)
COLUMN = Rule(
    "MPE-M005",
    "A metric sums a column of numbers",
    "Only numbers can be summed, and only of a field that the schema has.",
    _SOURCE,
)
