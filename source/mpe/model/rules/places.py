"""Where a config lies, and whose resources it names."""

from mpe.model.rules.record import Rule

FOREIGN = Rule(
    "MPE-O001",
    "An ARN in a config is of the stack's account and region",
    "What is another's cannot be read from here, or should not be.",
    "ours: the service makes all of a dataset group in one account and region",
)
MISPLACED = Rule(
    "MPE-O002",
    "A config lies in the folder of its dataset group",
    "Configs are read at train/<name of the dataset group>/, and no deeper.",
    "ours: the layout is that of the AWS solution's README",
)
FOLDER = Rule(
    "MPE-O003",
    "The folder that a config lies in is the dataset group's",
    "The data is read beside the config: who may write in one folder shall not change the group of "
    "another.",
    "ours: the layout is that of the AWS solution's README, and its folder is whose the data is",
)
PARTITION = Rule(
    "MPE-O004",
    "A recipe is of the stack's partition",
    "Recipes of China or of GovCloud have ARNs of their own.",
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html",
)
