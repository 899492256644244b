"""One input for each rule that breaks it: bends of a good config, or files of data.

A rule that no input breaks would be a check that cannot fail, so that the table has to be whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mpe.data.check import SIZES
from mpe.model.gate.smoke import Answer, Probe
from mpe.model.gate.watch import Alarm, Traffic
from mpe.model.service.limits import PROBLEMS_LIMIT, SIZE_LIMIT, VALUES_LIMIT
from tests.data.writing import HEADERS, SCHEMAS, config, rows, schema, write_config
from tests.everything import everything
from tests.model.config.bending import (
    CAMPAIGN,
    EXCLUDED,
    FILTER,
    GROUP,
    ITEMS,
    LONG,
    PLACE,
    RECIPE,
    SCHEMA,
    SOLUTION,
    THEMES,
    USERS,
    Bend,
    add,
    attribution,
    both,
    drop,
    put,
)

PERSONALIZATION = put(*SOLUTION, "recipeArn", f"{RECIPE}aws-user-personalization")
OTHER_VERSION = "arn:aws:personalize:us-east-1:000000000000:solution/another/1"


def fine(document: dict[str, Any]) -> None:
    """Leave a config as it is."""


def expression(text: str) -> Bend:
    return put(*FILTER, "filterExpression", text)


def jobs(*sections: dict[str, Any], kind: str = "batchInferenceJobs") -> Bend:
    return put("solutions", 0, kind, list(sections))


def schedules(**given: str) -> Bend:
    return put("solutions", 0, "workflowConfig", {"schedules": given})


def tuned(settings: Mapping[str, Any]) -> Bend:
    return both(PERSONALIZATION, put(*SOLUTION, "solutionConfig", dict(settings)))


def searched(kind: str, **given: Any) -> Bend:
    ranges = {"algorithmHyperParameterRanges": {kind: [given]}}
    searched = both(PERSONALIZATION, put(*SOLUTION, "performHPO", True))
    return both(searched, put(*SOLUTION, "solutionConfig", {"hpoConfig": ranges}))


def field(name: str, kind: Any, *where: str, **flags: bool) -> Bend:
    return add(*(where or SCHEMA), "fields", {"name": name, "type": kind, **flags})


def of_domain(domain: str = "ECOMMERCE") -> Bend:
    return put(*GROUP, "domain", domain)


def shop(*more: dict[str, Any], category: bool = True) -> Bend:
    """Make the items those of the domain ECOMMERCE."""
    first = [
        {"name": "ITEM_ID", "type": "string"},
        {"name": "PRICE", "type": "float"},
        {"name": "CATEGORY_L1", "type": "string", "categorical": category},
    ]
    return both(of_domain(), put(*ITEMS, "fields", [*first, *more]))


def recommender(recipe: str) -> Bend:
    params = {"name": "r", "recipeArn": RECIPE + recipe}
    return put("recommenders", [{"serviceConfig": params}])


def filters(*expressions: str) -> Bend:
    sections = [
        {"serviceConfig": {"name": f"f{number}", "filterExpression": text}}
        for number, text in enumerate(expressions)
    ]
    return put("filters", sections)


def metadata(count: int, *where: str) -> Bend:
    """Add columns of numbers to a schema."""
    return both(*(field(f"M{number}", "int", *where) for number in range(count)))


VERDICTS: dict[str, tuple[dict[str, Any], float | None]] = {
    "MPE-Q006": ({"metrics": {"coverage": {"atLeast": 0.5}}}, 0.4),
    "MPE-Q007": ({"metrics": {"coverage": {"notBelow": "-20%"}}}, 0.1),
    "MPE-Q008": ({"metrics": {"coverage": {"notAbove": "+100%"}}}, 0.9),
    "MPE-Q009": ({"metrics": {}, "baseline": {"solution": "popular", "lift": 2}}, 0.2),
    "MPE-Q010": ({}, None),
}
"""Gates, and the coverage of versions that break them; that of the live one is 0.2."""

ITEM_IDS = frozenset({"i1", "i2"})
GOOD = [f"u{n % 50},i{1 + n % 2},{1_700_000_000 + n}" for n in range(1_000)]
IMPORTS: dict[str, list[str] | None] = {
    "MPE-Q013": [f"{row}\n" for row in GOOD[:700]],
    "MPE-Q014": [f"u{n % 30},i{1 + n % 2},{1_700_000_000 + n}" for n in range(1_000)],
    "MPE-Q015": [f"u{n % 50},i1,{1_700_000_000 + n}" for n in range(1_000)],
    "MPE-Q016": [row.replace(",1700", ",1600") for row in GOOD],
    "MPE-Q017": [row.replace(",i2", ",i3") for row in GOOD],
    "MPE-Q018": [f"u{n % 50},i{1 + (n % 50 < 2)},{1_700_000_000 + n}" for n in range(1_000)],
    "MPE-Q019": [f"{row.rpartition(',')[0]},1700000000" for row in GOOD],
    "MPE-Q020": None,
}
"""Rows of imports that break a rule, where :data:`GOOD` is what is served; None: not readable."""

ASKED = [
    Answer(Probe(user=f"u{n}"), tuple(f"i{n + m}" for m in range(3)), seconds=0.1) for n in range(8)
]
LISTS: dict[str, list[Answer]] = {
    "MPE-Q021": [replace(one, items=(), error="InvalidInputException") for one in ASKED],
    "MPE-Q022": [replace(one, items=()) for one in ASKED[:2]] + ASKED[2:],
    "MPE-Q023": [replace(one, items=tuple(f"i{n}" for n in range(10))) for one in ASKED],
    "MPE-Q024": [replace(one, items=(f"film-{n}",)) for n, one in enumerate(ASKED)],
    "MPE-Q025": [replace(one, seconds=2.0) for one in ASKED],
}
"""Answers of a campaign that break a rule, where :data:`ASKED` are those of before."""

FILTERED = {"MPE-Q029": Answer(Probe(user="u1", filter="f"), error="InternalServerException")}
"""Answers with a filter, which answered before, that break a rule."""

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
WATCHES: dict[str, tuple[Traffic, list[Alarm]]] = {
    "MPE-Q026": (Traffic(190, 0, 10, 0.1), []),
    "MPE-Q027": (Traffic(200, 0, 0, 2.0), []),
    "MPE-Q028": (Traffic(), [Alarm("clicks", "ALARM", BEGAN)]),
}
"""What CloudWatch tells of a campaign that breaks a rule; it moved at :data:`BEGAN`."""

TEXTS: dict[str, str | bytes] = {
    "MPE-J001": " " * (SIZE_LIMIT + 1),
    "MPE-J002": '{"datasetGroup": ',
    "MPE-J003": b"\xff\xfe{}",
    "MPE-J004": '{"a": 1, "a": 2}',
    "MPE-J005": "[" * 40 + "]" * 40,
    "MPE-J006": json.dumps({"tags": [0] * VALUES_LIMIT}),
    "MPE-J007": json.dumps({f"{number}": 0 for number in range(PROBLEMS_LIMIT + 1)}),
    "MPE-J008": '{"a": NaN}',
}
"""Files that are no config at all."""


def gate(given: dict[str, Any], *more: Bend) -> Bend:
    """Give the first solution a gate."""
    return both(put("solutions", 0, "workflowConfig", {"gate": given}), *more)


HOLD = gate({"mode": "hold"}, put(*SOLUTION, "performAutoTraining", False))
NDCG = "normalized_discounted_cumulative_gain_at_10"
SYNC = put(*CAMPAIGN, "campaignConfig", {"syncWithLatestSolutionVersion": True})
PINNED = put(
    *CAMPAIGN, "solutionVersionArn", f"arn:aws:personalize:us-east-1:000000000000:solution/{LONG}/1"
)

CONFIGS: dict[str, Bend] = {
    "MPE-Q001": gate({"metrics": {"hits_at_1_percent": {}}}),
    "MPE-Q002": gate({"metrics": {NDCG: {"atLeast": 2}}}),
    "MPE-Q003": both(HOLD, SYNC),
    "MPE-Q004": gate({"mode": "hold"}, put(*SOLUTION, "performAutoTraining", True)),
    "MPE-Q005": gate({"baseline": {"solution": "nowhere"}}),
    "MPE-Q011": HOLD,
    "MPE-Q012": both(PINNED, put("solutions", 0, "workflowConfig", {"maxAge": "30 days"})),
    "MPE-Q030": both(
        shop(),
        recommender("aws-ecomm-recommended-for-you"),
        put("datasetGroup", "workflowConfig", {"gate": {"mode": "hold"}}),
        *(put("solutions", n, "serviceConfig", "performAutoTraining", False) for n in (0, 1)),
    ),
    "MPE-Q031": SYNC,
    "MPE-J009": put("eventTraker", {}),
    "MPE-J010": drop("datasetGroup"),
    "MPE-J011": put("solutions", {}),
    "MPE-J012": put("tags", [{"tagKey": f"k{n}", "tagValue": ""} for n in range(51)]),
    "MPE-J013": put("ignore", ["MPE-X001"]),
    "MPE-J014": put("ignore", ["MPE-J009"]),
    "MPE-J015": put("somethingOfAnotherTool", 1),
    "MPE-P001": put(*GROUP, "domian", "ECOMMERCE"),
    "MPE-P002": drop(*GROUP, "name"),
    "MPE-P003": put(*CAMPAIGN, "minProvisionedTPS", "many"),
    "MPE-P004": put(*GROUP, "domain", "SHOP"),
    "MPE-P005": put(*GROUP, "name", "no spaces here"),
    "MPE-P006": put(*CAMPAIGN, "minProvisionedTPS", 0),
    "MPE-P007": put(*GROUP, "name", "x" * 64),
    "MPE-P008": put("datasets", "serviceConfig", "jobName", "x"),
    "MPE-N001": put("solutions", 1, "serviceConfig", "name", LONG),
    "MPE-N002": jobs({"serviceConfig": {"jobName": "x" * 39}}),
    "MPE-N003": both(put(*GROUP, "name", "g" * 63), put(*SOLUTION, "name", "s" * 63), jobs({})),
    "MPE-N004": put(*SOLUTION, "tags", [{"tagKey": f"k{n}", "tagValue": ""} for n in range(51)]),
    "MPE-N005": put("tags", [{"tagKey": "aws:x", "tagValue": ""}]),
    "MPE-N006": put("tags", [{"tagKey": "a", "tagValue": "1"}, {"tagKey": "a", "tagValue": "2"}]),
    "MPE-G001": both(
        of_domain(),
        lambda document: document["datasets"].update(actions=everything()["datasets"]["actions"]),
    ),
    "MPE-G002": recommender("aws-vod-top-picks"),
    "MPE-G003": both(drop("datasets", "interactions"), drop("solutions"), drop("filters")),
    "MPE-G004": put(*GROUP, "roleArn", PLACE.role_arn),
    "MPE-G005": put("datasets", "serviceConfig", "publishAttributionMetricsToS3", True),
    "MPE-G006": filters(*["EXCLUDE ItemID WHERE Items.YEAR = 1"] * 31),
    "MPE-G007": put("datasets", "items", "schema", "serviceConfig", "domain", "ECOMMERCE"),
    "MPE-A001": put(*ITEMS, "{"),
    "MPE-A002": put(*ITEMS, "[]"),
    "MPE-A003": put(*SCHEMA, "type", "map"),
    "MPE-A004": put(*SCHEMA, "name", "Events"),
    "MPE-A005": drop(*SCHEMA, "fields"),
    "MPE-A006": add(*SCHEMA, "fields", "TITLE"),
    "MPE-A007": put(*SCHEMA, "fields", 3, "name", "9"),
    "MPE-A008": put(*ITEMS, "fields", 1, "categorical", "yes"),
    "MPE-A009": put(*SCHEMA, "fields", 3, "type", "decimal"),
    "MPE-A010": put(*SCHEMA, "fields", 3, "type", ["float", "int"]),
    "MPE-A011": field("EVENTTYPE", "string"),
    "MPE-A012": drop(*SCHEMA, "fields", 4),
    "MPE-A013": put(*SCHEMA, "fields", 0, "type", "int"),
    "MPE-A014": put(*SCHEMA, "fields", 2, "categorical", True),
    "MPE-A015": shop(category=False),
    "MPE-A016": put(*USERS, "fields", [{"name": "USER_ID", "type": "string"}]),
    "MPE-A017": metadata(6),
    "MPE-A018": put(*ITEMS, "fields", 2, "textual", True),
    "MPE-A019": shop({"name": "ADULT", "type": "int"}),
    "MPE-A020": shop({"name": "CATEGORY_L2", "type": "string"}),
    "MPE-F001": expression("nonsense"),
    "MPE-F002": expression("EXCLUDE ItemID WHERE Films.YEAR = 1"),
    "MPE-F003": expression('EXCLUDE ItemID WHERE Items.GENRES IN ("*")'),
    "MPE-F004": expression(
        'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("a") AND Items.YEAR = 1'
    ),
    "MPE-F005": expression('EXCLUDE ItemID WHERE CurrentUser.GENDER = "F"'),
    "MPE-F006": expression("EXCLUDE ItemID WHERE Items.YEAR = 1 IF Items.YEAR = 1"),
    "MPE-F007": expression(
        "EXCLUDE ItemID WHERE Items.YEAR = 1"
        ' IF CurrentUser.GENDER = "F" OR CurrentUser.GENDER = "M"'
    ),
    "MPE-F008": both(
        expression('EXCLUDE ActionID WHERE Actions.KIND IN ("mail")'), drop("eventTracker")
    ),
    "MPE-F009": expression("EXCLUDE ItemID WHERE Items.COST = 1"),
    "MPE-F010": both(
        field("ADULT", ["boolean", "null"], *ITEMS),
        expression('EXCLUDE ItemID WHERE Items.ADULT IN ("true")'),
    ),
    "MPE-F011": both(
        metadata(11, *ITEMS),
        expression(
            "EXCLUDE ItemID WHERE " + " AND ".join(f"Items.M{number} = 1" for number in range(11))
        ),
    ),
    "MPE-F012": both(
        metadata(21, *ITEMS),
        filters(*(f"EXCLUDE ItemID WHERE Items.M{number} = 1" for number in range(21))),
    ),
    "MPE-F013": expression('EXCLUDE ItemID WHERE Items.GENRES > "a"'),
    "MPE-F014": expression('EXCLUDE ItemID WHERE CurrentItem.GENRES IN ("a")'),
    "MPE-F015": both(
        field("DEVICE", ["string", "null"]),
        expression('EXCLUDE ItemID WHERE Interactions.DEVICE IN ("tv")'),
    ),
    "MPE-F016": expression("EXCLUDE ItemID WHERE Items.GENRES NOT IN ($GENRE)"),
    "MPE-S001": drop(*SOLUTION, "recipeArn"),
    "MPE-S003": put(*SOLUTION, "recipeArn", f"{RECIPE}aws-magic"),
    "MPE-S004": put(*SOLUTION, "recipeArn", f"{RECIPE}aws-vod-top-picks"),
    "MPE-S005": put(*SOLUTION, "recipeArn", f"{RECIPE}aws-next-best-action"),
    "MPE-S006": put(*SOLUTION, "performIncrementalUpdate", True),
    "MPE-S007": put(
        "solutions", 0, "solutionVersion", {"serviceConfig": {"trainingMode": "AUTOTRAIN"}}
    ),
    "MPE-S008": schedules(update="rate(1 day)"),
    "MPE-S009": both(
        drop("datasets", "items"),
        put(*SOLUTION, "solutionConfig", {"trainingDataConfig": EXCLUDED}),
    ),
    "MPE-S010": put(*SOLUTION, "solutionConfig", {"trainingDataConfig": EXCLUDED}),
    "MPE-S011": both(drop(*SCHEMA, "fields", 2), put(*SOLUTION, "eventType", "rating")),
    "MPE-S012": both(
        PERSONALIZATION,
        put(*SOLUTION, "solutionConfig", {"optimizationObjective": {"itemAttribute": "TITLE"}}),
    ),
    "MPE-S013": both(drop(*SOLUTION, "recipeArn"), put(*SOLUTION, "performAutoML", True)),
    "MPE-C001": put(*CAMPAIGN, "solutionVersionArn", OTHER_VERSION),
    "MPE-C002": both(
        put(*CAMPAIGN, "solutionVersionArn", OTHER_VERSION.replace("another", LONG)),
        put(*CAMPAIGN, "campaignConfig", {"syncWithLatestSolutionVersion": True}),
    ),
    "MPE-C003": put(*SOLUTION, "recipeArn", f"{RECIPE}aws-item-affinity"),
    "MPE-B001": jobs({"serviceConfig": {"filterArn": "unseen"}}),
    "MPE-B002": both(put(*SOLUTION, "recipeArn", f"{RECIPE}aws-trending-now"), jobs({})),
    "MPE-B003": jobs({}, kind="batchSegmentJobs"),
    "MPE-B004": jobs({"serviceConfig": THEMES}),
    "MPE-B005": both(
        put(*SOLUTION, "recipeArn", f"{RECIPE}aws-similar-items"), jobs({"serviceConfig": THEMES})
    ),
    "MPE-B006": jobs(
        {
            "serviceConfig": {
                "themeGenerationConfig": {"fieldsForThemeGeneration": {"itemName": "TITLE"}}
            }
        }
    ),
    "MPE-R001": both(of_domain(), recommender("aws-sims")),
    "MPE-R002": both(of_domain(), recommender("aws-vod-top-picks")),
    "MPE-T001": schedules(full="daily"),
    "MPE-T002": put("datasetGroup", "workflowConfig", {"maxAge": "a while"}),
    "MPE-T003": put("datasetGroup", "workflowConfig", {"timeZone": "Middle/Earth"}),
    "MPE-T004": both(put(*SOLUTION, "performAutoTraining", True), schedules(full="rate(1 day)")),
    "MPE-T005": both(
        PERSONALIZATION,
        put(*SOLUTION, "performAutoTraining", True),
        schedules(update="rate(1 day)"),
    ),
    "MPE-T006": put("solutions", 0, "campaigns", 0, "workflowConfig", {"maxAge": "1 day"}),
    "MPE-T007": put(
        *SOLUTION,
        "solutionConfig",
        {"autoTrainingConfig": {"schedulingExpression": "rate(31 days)"}},
    ),
    "MPE-M001": both(put("metricAttribution", attribution()), drop("datasets", "interactions")),
    "MPE-M002": put("metricAttribution", attribution("a", "a")),
    "MPE-M003": put("metricAttribution", attribution(expression="COUNT()")),
    "MPE-M004": both(put("metricAttribution", attribution()), drop(*SCHEMA, "fields", 2)),
    "MPE-M005": put("metricAttribution", attribution(expression="SUM(Items.TITLE)")),
    "MPE-H001": tuned({"algorithmHyperParameters": {"hidden_dim": "12"}}),
    "MPE-H002": tuned({"algorithmHyperParameters": {"bptt": "999"}}),
    "MPE-H003": searched("continuousHyperParameterRanges", name="bptt", minValue=2.0, maxValue=4.0),
    "MPE-H004": searched("integerHyperParameterRanges", name="bptt", minValue=9, maxValue=4),
    "MPE-H005": both(
        PERSONALIZATION,
        put(*SOLUTION, "performHPO", True),
        put(
            *SOLUTION,
            "solutionConfig",
            {"hpoConfig": {"hpoResourceConfig": {"maxNumberOfTrainingJobs": "999"}}},
        ),
    ),
    "MPE-C004": put(
        *CAMPAIGN, "campaignConfig", {"itemExplorationConfig": {"explorationWeight": "1.5"}}
    ),
    "MPE-S014": put(
        *SOLUTION,
        "solutionConfig",
        {"trainingDataConfig": {"excludedDatasetColumns": {"INTERACTIONS": ["EVENT_TYPE"]}}},
    ),
    "MPE-W001": put(*SOLUTION, "solutionVersion", {"name": "mine", "trainingMode": "FULL"}),
    "MPE-W002": put(*SOLUTION, "performAutoML", True),
    "MPE-W003": schedules(full="delete"),
}
"""Bends of the example's config, each of which breaks a rule."""

OTHERS = "arn:aws:personalize:us-east-1:999999999999:solution/movielens-for-you/1"
UPLOADS: dict[str, tuple[tuple[str, Bend], ...]] = {
    "MPE-O001": (("train/movielens/config.json", put(*CAMPAIGN, "solutionVersionArn", OTHERS)),),
    "MPE-O002": (("train/movie lens/config.json", fine),),
    "MPE-O003": (("train/spring/config.json", fine), ("train/copy/config.json", fine)),
    "MPE-O005": (("train/movielens/config.json", fine), ("train/movielens/copy.json", fine)),
    "MPE-O004": (
        (
            "train/movielens/config.json",
            put(*SOLUTION, "recipeArn", RECIPE.replace("aws", "aws-cn", 1) + "aws-sims"),
        ),
    ),
}
"""Uploads of configs, the last of which breaks a rule by where it lies or what it names."""

EVENT_HEADER, ITEM_HEADER, USER_HEADER = (HEADERS[kind] for kind in SCHEMAS)


@dataclass(frozen=True)
class Files:
    """Data beside a config of the datasets that there are files of."""

    files: Mapping[str, str | bytes]
    bend: Bend = fine
    sparse: int = 0
    """Bytes of the first file, of which all after what is given are a hole."""
    kinds: tuple[str, ...] = ()

    def write(self, folder: Path) -> Path:
        """Write the config and the data; return the config's path."""
        for name, body in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body.encode() if isinstance(body, str) else body)
        if self.sparse:
            with path.open("r+b") as file:
                file.truncate(self.sparse)
        there = {name.partition("/")[0].removesuffix(".csv") for name in self.files}
        document = config(*(kind for kind in SCHEMAS if kind in {*there, *self.kinds}))
        self.bend(document)
        return write_config(folder, document)


def lines(header: str, *given: str) -> str:
    return "\n".join([header, *given, ""])


def events(*given: str, good: int = 1_200, header: str = EVENT_HEADER, of: int = 100) -> Files:
    """Return interactions: the given ones before good ones of so many users."""
    return Files({"interactions.csv": lines(header, *given, *rows(good, of))})


def items(*given: str, good: int = 40) -> Files:
    fine = (f"i{n},Title {n},{n}.5,shoes|red" for n in range(good))
    return Files({"items.csv": lines(ITEM_HEADER, *given, *fine)})


def users(*given: str) -> Files:
    return Files({"users.csv": lines(USER_HEADER, *given, *(f"u{n},{n}" for n in range(100)))})


def beside(*several: Files) -> Files:
    return Files({name: body for one in several for name, body in one.files.items()})


def with_column(kind: str, body: str, **column: Any) -> Files:
    """Return data of a dataset whose schema has one more column than elsewhere."""
    place = ("datasets", kind, "schema", "serviceConfig", "schema")

    def bend(document: dict[str, Any]) -> None:
        put(*place, {**schema(kind), "fields": [*SCHEMAS[kind], column]})(document)

    return Files({f"{kind}.csv": body}, bend)


def of_actions(document: dict[str, Any]) -> None:
    datasets = everything()["datasets"]
    document["datasets"] = {kind: datasets[kind] for kind in ("actions", "actionInteractions")}


def visits(event: str) -> Bend:
    """Ask for a solution of one event."""
    params = {"name": "s", "recipeArn": f"{RECIPE}aws-popularity-count", "eventType": event}
    return put("solutions", [{"serviceConfig": params}])


AT_ONCE = [f"u{n % 100},i{n},View,1,1700000000" for n in range(1_200)]


def segments(document: dict[str, Any]) -> None:
    """Ask for a solution that makes segments of users."""
    params = {"name": "s", "recipeArn": f"{RECIPE}aws-item-affinity"}
    put("solutions", [{"serviceConfig": params}])(document)


def incremental(document: dict[str, Any]) -> None:
    document["datasets"]["serviceConfig"] = {"importMode": "INCREMENTAL"}


DATA: dict[str, Files] = {
    "MPE-D001": Files({}, kinds=("interactions",)),
    "MPE-D002": Files({"interactions.csv": "USER_ID\n"}, sparse=SIZES["FULL"] + 1),
    "MPE-D003": Files({"interactions.csv": "USER_ID\n"}, incremental, SIZES["INCREMENTAL"] + 1),
    "MPE-D004": events(f"u1,{'i' * 34_000_000},View,1,1700000000"),
    "MPE-D005": events(*(f"u{n % 90},i1,View,,{1_600_000_000 + n}" for n in range(4_000))),
    "MPE-D006": items(*(f"n{n},T,1.0,c{n}" for n in range(1_001))),
    "MPE-D007": events(good=999),
    "MPE-D008": events(of=20),
    "MPE-D009": events(*(f"once{n},i1,View,1,1700000000" for n in range(10_000))),
    "MPE-D010": events(),
    "MPE-D011": replace(events(), bend=visits("click")),
    "MPE-D012": events(*(f"u{n},i1,Event{n},1,1700000000" for n in range(11))),
    "MPE-D013": events(*(f"u{n},i1,Event{n},1,1700000000" for n in range(7))),
    "MPE-D014": items("i1,Twice,1.0,shoes"),
    "MPE-D015": beside(events(), items(*(f"I-{n},T,1.0,shoes" for n in range(40)), good=0)),
    "MPE-D016": beside(events("u1,i99,View,1,1700000000"), items()),
    "MPE-D017": Files(
        {
            "interactions/a.csv": lines(EVENT_HEADER, *rows()),
            "interactions/deeper/b.csv": lines(EVENT_HEADER, *rows()),
        }
    ),
    "MPE-D018": events("u1,i1,View,1,4000000000"),
    "MPE-D019": Files({"interactions.csv": lines("USER_ID,ITEM_ID", "u1,i1")}),
    "MPE-D020": events(header=f"{EVENT_HEADER},USER_ID"),
    "MPE-D021": Files({"items.csv": lines("TITLE,ITEM_ID,PRICE,CATEGORY_L1", "One,i1,1.0,shoes")}),
    "MPE-D022": Files({"items.csv": lines(f"{ITEM_HEADER},COLOUR", "i1,One,1.0,shoes,red")}),
    "MPE-D023": Files({"users.csv": lines('"USER_ID","AGE"', "u1,1")}),
    "MPE-D024": Files({"users.csv": b"PK\x03\x04 and so on"}),
    "MPE-D025": Files({"users.csv": USER_HEADER.encode() + b"\nu\xe9,1\n"}),
    "MPE-D026": events("u1,i1,View"),
    "MPE-D027": items('i98,"never closed,1.0,shoes'),
    "MPE-D028": items('i98,"a ""so called"" title",1.0,shoes'),
    "MPE-D029": items('i98,"back\\slash",1.0,shoes'),
    "MPE-D030": events(",i1,View,1,1700000000"),
    "MPE-D031": Files(
        {
            "actions.csv": lines("ACTION_ID,KIND", "a0,mail"),
            "actionInteractions.csv": lines(
                "USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP", "u1,a0,Seen,1700000000"
            ),
        },
        of_actions,
    ),
    "MPE-D032": users("u998,young"),
    "MPE-D033": users("u998,3000000000"),
    "MPE-D034": events("u1,i1,View,much,1700000000"),
    "MPE-D035": with_column(
        "users", lines(f"{USER_HEADER},MEMBER", "u1,1,yes"), name="MEMBER", type="boolean"
    ),
    "MPE-D036": events(f"{'u' * 300},i1,View,1,1700000000"),
    "MPE-D037": with_column(
        "items",
        lines(f"{ITEM_HEADER},PLOT", f"i1,One,1.0,shoes,{'x' * 20_001}"),
        name="PLOT",
        type=["string", "null"],
        textual=True,
    ),
    "MPE-D038": events("USER_ID,i1,View,1,1700000000"),
    "MPE-D039": items('i98,"two\nlines",1.0,shoes'),
    "MPE-D040": events("u1,i1,View,1,1700000000000"),
    "MPE-D041": events("u1,i1,View,1,19000"),
    "MPE-D042": with_column(
        "items",
        lines(f"{ITEM_HEADER},PLOT", *(f"i{n},One,1.0,shoes," for n in range(9))),
        name="PLOT",
        type=["string", "null"],
        textual=True,
    ),
    "MPE-D043": events(*AT_ONCE, good=0),
    "MPE-D044": replace(events(*AT_ONCE, good=0), bend=segments),
    "MPE-D045": events("u1 ,i1,View,1,1700000000"),
    "MPE-D046": events("4.00638E+12,i1,View,1,1700000000"),
}
"""Files of data, each of which breaks a rule."""
