"""Parameters: each ``serviceConfig`` against the service's own model of the call."""

from mpe.model.rules.record import Rule

MODEL = "botocore/data/personalize/2018-05-22/service-2.json"
"""The service's model as botocore has it, from which AWS's own clients are made."""

KEY = Rule(
    "MPE-P001",
    "Each parameter is one that the call has",
    "The service refuses a call with a parameter that it does not know.",
    MODEL,
)
REQUIRED = Rule(
    "MPE-P002",
    "Each parameter that the call requires is there",
    "The service refuses the call without it.",
    MODEL,
)
TYPE = Rule(
    "MPE-P003",
    "Each parameter has its type",
    "The service refuses a value of another type.",
    MODEL,
)
ENUM = Rule(
    "MPE-P004",
    "A value of a list of values is one of them",
    "The service refuses any other, and takes capitals for other letters.",
    MODEL,
)
PATTERN = Rule(
    "MPE-P005",
    "A text has the form that the service asks for",
    "Names become parts of ARNs, and places those of S3: the service refuses other forms.",
    MODEL,
)
RANGE = Rule(
    "MPE-P006",
    "A number is within its limits",
    "The service refuses a number that is too small or too large.",
    MODEL,
)
SIZE = Rule(
    "MPE-P007",
    "A text or a list is within its limits",
    "The service refuses a value that is too short or too long.",
    MODEL,
)
FILLED = Rule(
    "MPE-P008",
    "What the workflow fills in is not given",
    "ARNs of parents, places and roles are known only when the run is there; a value of the file's "
    "would be replaced without a word.",
    "ours: the parameters that belong to the workflow are those of the AWS solution's README",
)
