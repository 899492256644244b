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
    "A config lies below train/, in folders with plain names",
    "Configs are read at any depth below train/, with their data beside them.",
    "ours: that it may be any .json under train/ is of the README of the AWS solution",
)
FOLDER = Rule(
    "MPE-O003",
    "A dataset group is maintained from one folder, which is no other group's",
    "The data is read beside the config: a copy of it shall not change the group, and who may "
    "write in one group's folder shall not change another.",
    "ours: for safety, where the AWS solution takes a config from any folder",
)
SECOND = Rule(
    "MPE-O005",
    "A dataset group has one config in its folder",
    "S3's order of uploads is that of one key, so that nobody could say which of two is the newer.",
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html",
)
PARTITION = Rule(
    "MPE-O004",
    "A recipe is of the stack's partition",
    "Recipes of China or of GovCloud have ARNs of their own.",
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html",
)
