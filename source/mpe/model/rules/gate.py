"""The gate: what a version is held to before it is served, and what a gate may ask."""

from mpe.model.rules.record import Rule

_GUIDE = "https://docs.aws.amazon.com/personalize/latest/dg"
_METRICS = f"{_GUIDE}/working-with-training-metrics.html"

METRIC = Rule(
    "MPE-Q001",
    "A gate names metrics that the recipe has",
    "A limit on a metric that no version has would never be looked at.",
    _METRICS,
)
LIMIT = Rule(
    "MPE-Q002",
    "A gate's limit can be kept, and can be broken",
    "Metrics are from 0 to 1, but for counts of hits; a limit beyond that holds every version, or "
    "none.",
    _METRICS,
)
SYNC = Rule(
    "MPE-Q003",
    "What is held does not follow the newest version by itself",
    "With syncWithLatestSolutionVersion the service moves the campaign, whatever a gate says.",
    f"{_GUIDE}/API_CampaignConfig.html",
)
TRAINED_BY_SERVICE = Rule(
    "MPE-Q004",
    "What is held is trained by our runs alone",
    "Versions that the service trains by itself appear outside every run, and nobody judges them.",
    f"{_GUIDE}/solution-config-auto-training.html",
)
BASELINE_SOLUTION = Rule(
    "MPE-Q005",
    "A gate's baseline is another solution of the config",
    "A version is compared with the newest version of that solution, trained on the same data.",
    "ours: what is not in the config is not trained with it",
)
AT_LEAST = Rule(
    "MPE-Q006",
    "A version's metric is at least what the gate asks",
    "Below it the model is of no use, whatever came before it.",
    _METRICS,
)
NOT_BELOW = Rule(
    "MPE-Q007",
    "A version is not worse than the live one by more than noise",
    "Each training tests on other users, so that equally good versions differ; further below the "
    "model, or its data, is worse.",
    "ours: the guide warns of comparing versions trained on different data, and the noise of a "
    "solution's own versions says how far that goes",
)
NOT_ABOVE = Rule(
    "MPE-Q008",
    "A version is not better than the live one beyond belief",
    "Where data was lost, or tells the future, the offline metrics rise.",
    "ours: of broken data sets of films most made the metric rise, by up to 231 %",
)
BASELINE = Rule(
    "MPE-Q009",
    "A version is better than a simple model by what the gate asks",
    "What is no better than the most popular items is not worth its price.",
    _METRICS,
)
NO_METRICS = Rule(
    "MPE-Q010",
    "A version that is judged has metrics",
    "Without them nothing can be said, and that is told.",
    f"{_GUIDE}/API_GetSolutionMetrics.html",
    "warning",
)
NO_NEW_ITEMS = Rule(
    "MPE-Q011",
    "A campaign serves the newest version, where new items are wanted",
    "Every two hours the service brings new items into the latest fully trained version alone: one "
    "that is pinned, held or rolled back to gets none from then on, nor does one of an UPDATE.",
    f"{_GUIDE}/how-new-data-influences-recommendations.html",
    "warning",
)
TRAINED_FOR_NOBODY = Rule(
    "MPE-Q012",
    "A solution that is trained again has a campaign that follows",
    "Every training is billed, and campaigns that stay at a version serve none of it.",
    "ours: the price of what nobody uses should be told",
    "warning",
)
_OURS = "ours: of broken data sets of films offline metrics see one in five; the data itself tells"
ROWS = Rule(
    "MPE-Q013",
    "An import has not lost many of the rows",
    "A FULL import takes the place of what is there, and a sudden loss is mostly a lost file.",
    _OURS,
)
USERS = Rule(
    "MPE-Q014",
    "An import has not lost many of the users",
    "Of films with half the users lost the offline metric rose by 40 %: the data must tell.",
    _OURS,
)
ITEMS = Rule(
    "MPE-Q015",
    "An import has not lost many of the items",
    "A catalogue that is cut makes offline metrics rise, since there is less to choose from.",
    _OURS,
)
NEWEST = Rule(
    "MPE-Q016",
    "The newest event of an import is as new as the gate asks",
    "An export that stands still brings the same events every day, and each training is billed.",
    "ours: what is wanted of it is in the config alone",
)
UNKNOWN_ITEMS = Rule(
    "MPE-Q017",
    "The items of events are among the Items",
    "Ids that no item has are mostly written in another way than those of the Items.",
    f"{_GUIDE}/interactions-datasets.html",
)
SHIFT = Rule(
    "MPE-Q018",
    "The same items and event types are met as before",
    "Ids that are written anew, or a source that is missing, shift what is met at once.",
    "https://docs.scipy.org/doc/scipy/reference/generated/scipy.spatial.distance.jensenshannon.html",
)
DISTINCT_TIMES = Rule(
    "MPE-Q019",
    "Events have more than one time",
    "Of films with one single time the offline metric rose by 231 %, and the model knows no order.",
    _OURS,
)
NOT_PROFILED = Rule(
    "MPE-Q020",
    "The data of an import can be counted",
    "What 15 minutes are not enough for is imported, and told not to have been judged.",
    "ours: what is not known is no pass",
    "warning",
)
_LISTS = "ours: offline metrics are of past events; whether a campaign answers, its answers tell"
ANSWERS = Rule(
    "MPE-Q021",
    "A campaign answers with its new version",
    "A model that is trained well may still not be served: each probe has an answer.",
    "https://docs.aws.amazon.com/personalize/latest/dg/API_RS_GetRecommendations.html",
)
EMPTY = Rule(
    "MPE-Q022",
    "Few of a campaign's lists are empty",
    "An empty list is an empty place on a page.",
    _LISTS,
)
ALIKE = Rule(
    "MPE-Q023",
    "Users who differ get lists that differ",
    "A model that gives everybody the same has lost what it is paid for; popularity is meant to.",
    _LISTS,
)
OVERLAP = Rule(
    "MPE-Q024",
    "A campaign's lists have something of what they had before",
    "Wholly other lists overnight speak of other items, or of ids that are written anew.",
    _LISTS,
)
SLOW = Rule(
    "MPE-Q025",
    "A campaign answers as fast as the gate asks",
    "Pages wait for it.",
    "ours: what is wanted of it is in the config alone",
)
_WATCHED = "https://docs.aws.amazon.com/personalize/latest/dg/cloudwatch-metrics.html"
FAILING = Rule(
    "MPE-Q026",
    "A campaign that has moved ends few requests in errors of the service",
    "A model that cannot be served shows it to users first; the service counts its own errors.",
    _WATCHED,
)
SLOW_SINCE = Rule(
    "MPE-Q027",
    "A campaign that has moved answers its users as fast as the gate asks",
    "Pages wait for it, and few probes are not the load of a day.",
    _WATCHED,
)
ALARMED = Rule(
    "MPE-Q028",
    "No alarm that the gate names goes off once a campaign has moved",
    "What a model is worth, such as clicks and sales, is measured by whoever sells.",
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html",
)
FILTERED = Rule(
    "MPE-Q029",
    "A filter that a campaign was asked with still answers",
    "Requests with a filter are those of pages; one that fails with the new version alone is its.",
    "https://docs.aws.amazon.com/personalize/latest/dg/filter-expressions.html",
)
UNHELD = Rule(
    "MPE-Q030",
    "A gate that holds knows that recommenders are not held",
    "A recommender has no versions: the service trains it by itself and serves what came of it. "
    "Its metrics are kept and judged, and an alarm tells.",
    f"{_GUIDE}/creating-recommenders.html",
    "warning",
)
SYNCED = Rule(
    "MPE-Q031",
    "A campaign that the service moves is judged after the move",
    "With syncWithLatestSolutionVersion each new version is served at once: a gate that observes "
    "judges it, tells of it, and can neither hold it nor go back.",
    f"{_GUIDE}/API_CampaignConfig.html",
    "warning",
)
