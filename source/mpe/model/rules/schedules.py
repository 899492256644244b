"""Schedules, ages and who trains."""

from mpe.model.rules.record import Rule

_GUIDE = "https://docs.aws.amazon.com/personalize/latest/dg"
_SCHEDULER = "https://docs.aws.amazon.com/scheduler/latest/UserGuide"

EXPRESSION = Rule(
    "MPE-T001",
    "A schedule is a cron or a rate that fires",
    "EventBridge Scheduler refuses other expressions, and one that never fires does nothing.",
    f"{_SCHEDULER}/schedule-types.html",
)
AGE = Rule(
    "MPE-T002",
    "An age is a number and a unit",
    "Without a unit nobody could tell days from seconds.",
    "ours: maxAge is written as the AWS solution's README has it, such as 365 days",
)
ZONE = Rule(
    "MPE-T003",
    "A time zone is one of the IANA's",
    "EventBridge Scheduler counts by it, across changes between summer and winter time.",
    f"{_SCHEDULER}/schedule-types.html#time-zones",
)
TWO_TRAINERS = Rule(
    "MPE-T004",
    "Either a schedule trains in full, or the service does",
    "Both would train, and each training is billed.",
    f"{_GUIDE}/solution-config-auto-training.html",
)
TRAINED_BESIDE = Rule(
    "MPE-T005",
    "The service's own trainings are billed beside scheduled updates",
    "Automatic training is in full, and an update costs less than it: both may be wanted, but both "
    "are paid for.",
    f"{_GUIDE}/solution-config-auto-training.html",
    "warning",
)
NO_AGE = Rule(
    "MPE-T006",
    "An age stands where something is made again for it",
    "Most resources are kept whatever their age, so that the key does nothing there.",
    "ours: maxAge is this project's own key, and means nothing to the service",
    "warning",
)
AUTOMATIC_RATE = Rule(
    "MPE-T007",
    "The service trains by itself every 1 to 30 days",
    "The model's pattern lets any number of days through, and the service refuses the others.",
    f"{_GUIDE}/solution-config-auto-training.html",
)
