"""The form that the AWS solution's configs have, read as this project's."""

from mpe.model.rules.record import Rule

_README = "the form is that of the AWS solution's README"

VERSION_NAME = Rule(
    "MPE-W001",
    "A solution version's name is its run's",
    "Each run trains a version of its own, and a fixed name would be refused the second time.",
    f"ours: {_README}, whose names of versions cannot be kept",
    "warning",
)
AUTOML = Rule(
    "MPE-W002",
    "A recipe goes before performAutoML",
    "The AWS solution does not pass the parameter on, and the service refuses both together.",
    f"ours: {_README}, and its files are read as it reads them",
    "warning",
)
DELETED = Rule(
    "MPE-W003",
    "A schedule that is delete is deleted",
    "It is how the AWS solution's users end a schedule; here they leave the key out.",
    f"ours: {_README}",
    "warning",
)
