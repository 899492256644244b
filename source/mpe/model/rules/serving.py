"""Campaigns."""

from mpe.model.rules.record import Rule

_GUIDE = "https://docs.aws.amazon.com/personalize/latest/dg"

VERSION = Rule(
    "MPE-C001",
    "A campaign that stays at a version stays at one of its own solution's",
    "Another solution's model would be served under this solution's campaign.",
    "ours: the file puts each campaign below the solution that it serves",
)
STAY_AND_FOLLOW = Rule(
    "MPE-C002",
    "A campaign stays at a version or follows the newest",
    "syncWithLatestSolutionVersion would take it from the version that the file names.",
    f"{_GUIDE}/API_CampaignConfig.html",
)
EXPLORATION = Rule(
    "MPE-C004",
    "How much is explored is within its bounds",
    "The weight is from 0 to 1, the age is days; both are texts in the model, so that the service "
    "would refuse them only after the training.",
    f"{_GUIDE}/use-case-recipe-features.html",
)
SEGMENTS = Rule(
    "MPE-C003",
    "A recipe for segments has no campaigns",
    "It makes segments of users in batches, and the service refuses a campaign of it.",
    f"{_GUIDE}/user-segmentation-recipes.html",
)
