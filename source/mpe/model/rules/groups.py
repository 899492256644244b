"""Dataset groups, and what the sections of one ask of each other."""

from mpe.model.rules.record import Rule

_GUIDE = "https://docs.aws.amazon.com/personalize/latest/dg"

ACTIONS = Rule(
    "MPE-G001",
    "Actions are in custom dataset groups only",
    "A dataset group with a domain holds interactions, users and items.",
    f"{_GUIDE}/actions-datasets.html",
)
DOMAIN = Rule(
    "MPE-G002",
    "Recommenders are in a domain dataset group",
    "A recommender is made for a use case of a domain.",
    f"{_GUIDE}/creating-recommenders.html",
)
TRACKER = Rule(
    "MPE-G003",
    "An event tracker has an interactions dataset",
    "Events are interactions, and have nowhere to go without it. The service lets it be there.",
    f"{_GUIDE}/recording-events.html",
    "warning",
)
ROLE = Rule(
    "MPE-G004",
    "The role of a dataset group is the stack's own",
    "The stack makes a role for the service that may read just this data; another is not used.",
    "ours: another role may be allowed anything, and the stack could not tell",
    "warning",
)
PUBLISHED = Rule(
    "MPE-G005",
    "Metrics are published where there is a metric attribution",
    "Without one, publishAttributionMetricsToS3 publishes nothing.",
    f"{_GUIDE}/metric-attribution-requirements.html",
    "warning",
)
QUOTA = Rule(
    "MPE-G006",
    "A dataset group has so many of a type as its quota lets it",
    "The service refuses more until the account's quota is raised.",
    f"{_GUIDE}/limits.html",
    "warning",
)
SCHEMA_DOMAIN = Rule(
    "MPE-G007",
    "A schema's domain is its dataset group's",
    "The service refuses a dataset whose schema is of another domain.",
    f"{_GUIDE}/API_CreateSchema.html",
)
