"""One emulated service that all facts are put to: what is trained is trained once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import count
from typing import Any

from botocore.exceptions import ClientError

from mpe.emulator import Quotas
from tests.conftest import BUCKET, ROLE, Emulated, interactions
from tests.emulator.conftest import Builder, avro

RECIPE = "arn:aws:personalize:::recipe/aws-"
MANY = 10_000
GENRES = {"name": "GENRES", "type": ["null", "string"], "categorical": True}
BORN: dict[str, object] = {"name": "CREATION_TIMESTAMP", "type": "long"}
WORDS = {"name": "BLURB", "type": ["null", "string"], "textual": True}
GENDER = {"name": "GENDER", "type": ["string", "null"], "categorical": True}
FLAG: dict[str, object] = {"name": "LENT", "type": "boolean"}
SHELVES: dict[str, list[dict[str, object]]] = {
    "ECOMMERCE": [{"name": "CATEGORY_L1", "type": "string", "categorical": True}],
    "VIDEO_ON_DEMAND": [{"name": "GENRES", "type": "string", "categorical": True}, BORN],
}
INVALID, IN_USE, GONE, THERE, LIMIT = (
    "InvalidInputException",
    "ResourceInUseException",
    "ResourceNotFoundException",
    "ResourceAlreadyExistsException",
    "LimitExceededException",
)
Refusal = tuple[str, str]


def refused(call: Any, **params: Any) -> Refusal:
    """Return the code and the message of a refusal; fail where the call is answered."""
    try:
        answer = call(**params)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    raise AssertionError(f"not refused: {answer}")


def status_of(call: Any, **params: Any) -> int:
    """Return the HTTP status that a call is answered with, refused or not."""
    try:
        answer = call(**params)
    except ClientError as error:
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
    return int(answer["ResponseMetadata"]["HTTPStatusCode"])


def items(many: int = 240) -> str:
    """Return a CSV of items: the first hundred are comedies, of which every fourth is a drama."""
    rows = [
        f"i{n},{n + 0.5},{('Comedy|Drama' if n % 4 == 0 else 'Comedy') if n < 100 else 'Horror'},"
        f"{1_690_000_000 + n},words of {n},{'true' if n % 2 else 'false'}"
        for n in range(many)
    ]
    return "\n".join(["ITEM_ID,PRICE,GENRES,CREATION_TIMESTAMP,BLURB,LENT", *rows]) + "\n"


def users(many: int = 60) -> str:
    rows = [f"u{n},{20 + n},{'F' if n % 2 else 'M'}" for n in range(many)]
    return "\n".join(["USER_ID,AGE,GENDER", *rows]) + "\n"


class Bench:
    """A service with room for many resources, and a group with all data, trained as asked."""

    def __init__(self) -> None:
        quotas = Quotas(
            dataset_groups=MANY,
            schemas=MANY,
            importing=MANY,
            solutions=MANY,
            campaigns=MANY,
            recommenders=MANY,
            filters=MANY,
            training=MANY,
            batch_jobs=MANY,
            deletions=MANY,
        )
        self.build = Builder(Emulated(quotas=quotas))
        self._numbers = count()
        self.group = cache(self._group)
        self.shop = cache(self._shop)
        self.recommender = cache(self._recommender)
        self._trained_once = cache(self._version)
        self._served_once = cache(self._campaign)

    @property
    def client(self) -> Any:
        return self.build.client

    @property
    def runtime(self) -> Any:
        return self.build.emulated.runtime

    @property
    def events(self) -> Any:
        return self.build.emulated.events

    @property
    def objects(self) -> dict[str, str | bytes]:
        return self.build.emulated.objects.objects

    def fresh(self, **quotas: int) -> Builder:
        """Return a service of its own, with the quotas that the service has but for some."""
        return Builder(Emulated(quotas=Quotas(**quotas)))

    def name(self, of: str = "n") -> str:
        """Return a name that nothing has yet."""
        return f"{of}{next(self._numbers)}"

    def wait(self, seconds: float = 4000) -> None:
        self.build.wait(seconds)

    def new_group(self, **more: Any) -> str:
        arn: str = self.client.create_dataset_group(name=self.name("g"), **more)["datasetGroupArn"]
        self.wait(60)
        return arn

    def schema(self, text: str, **more: Any) -> str:
        made = self.client.create_schema(name=self.name("s"), schema=text, **more)
        return str(made["schemaArn"])

    def dataset(self, group: str, record: str, *more: Mapping[str, Any], **params: Any) -> str:
        """Create a dataset of a type with more columns than it must have."""
        made = self.client.create_dataset(
            name=self.name("d"),
            datasetGroupArn=group,
            datasetType=record,
            schemaArn=self.schema(avro(record, *map(dict, more)), **params),
        )
        self.wait(60)
        return str(made["datasetArn"])

    def begin_import(self, dataset: str, body: str, **options: Any) -> str:
        name = self.name("import")
        self.objects[f"{BUCKET}/{name}.csv"] = body
        made = self.client.create_dataset_import_job(
            jobName=name,
            datasetArn=dataset,
            dataSource={"dataLocation": f"{BUCKET}/{name}.csv"},
            **{"roleArn": ROLE, **options},
        )
        return str(made["datasetImportJobArn"])

    def imported(self, dataset: str, body: str, **options: Any) -> dict[str, Any]:
        """Import a CSV; return what the ended job tells."""
        arn = self.begin_import(dataset, body, **options)
        self.wait(900)
        told: dict[str, Any] = self.client.describe_dataset_import_job(datasetImportJobArn=arn)
        return dict(told["datasetImportJob"])

    def _group(self) -> str:
        """Return the group with interactions, items and users."""
        group = self.new_group()
        self.imported(self.dataset(group, "Interactions"), interactions())
        every = (GENRES, BORN, WORDS, FLAG)
        self.imported(self.dataset(group, "Items", *every), items())
        self.imported(self.dataset(group, "Users", GENDER), users())
        return group

    def solution(self, recipe: str = "user-personalization", **more: Any) -> str:
        """Create a solution of the group, or of another, that does not train by itself."""
        made = self.client.create_solution(
            **{
                "name": self.name("sol"),
                "datasetGroupArn": more.pop("group", None) or self.group(),
                "recipeArn": f"{RECIPE}{recipe}",
                "performAutoTraining": False,
                **more,
            }
        )
        self.wait(10)
        return str(made["solutionArn"])

    def trained(self, solution: str, **more: Any) -> str:
        made = self.client.create_solution_version(solutionArn=solution, **more)
        self.wait(3600)
        return str(made["solutionVersionArn"])

    def version(self, recipe: str = "user-personalization") -> str:
        """Return the version of a recipe on the group that has all data."""
        return self._trained_once(recipe)

    def campaign(self, recipe: str = "user-personalization") -> str:
        """Return the campaign of that version."""
        return self._served_once(recipe)

    def _version(self, recipe: str) -> str:
        return self.trained(self.solution(recipe))

    def _campaign(self, recipe: str) -> str:
        return self.served(self.version(recipe))

    def served(self, version: str, **more: Any) -> str:
        made = self.client.create_campaign(
            name=self.name("camp"), solutionVersionArn=version, **more
        )
        self.wait(600)
        return str(made["campaignArn"])

    def _shop(self, domain: str) -> str:
        """Return a group of a domain, with data."""
        group = self.new_group(domain=domain)
        seen, bought = ("View", "Purchase") if domain == "ECOMMERCE" else ("Watch", "Click")
        body = interactions(60, 60).replace("view", seen).replace("buy", bought)
        self.imported(self.dataset(group, "Interactions", domain=domain), body)
        wares = self.dataset(group, "Items", *SHELVES[domain], domain=domain)
        names = ["ITEM_ID", "PRICE", *(one["name"] for one in SHELVES[domain])]
        cells = "Comedy" if domain == "ECOMMERCE" else "Comedy,1690000000"
        rows = [f"i{n},{n + 0.5},{cells}" for n in range(240)]
        self.imported(wares, "\n".join([",".join(map(str, names)), *rows]) + "\n")
        return group

    def _recommender(self, use_case: str) -> str:
        domain = "ECOMMERCE" if use_case.startswith("ecomm") else "VIDEO_ON_DEMAND"
        made = self.client.create_recommender(
            name=self.name("r"),
            datasetGroupArn=self.shop(domain),
            recipeArn=f"{RECIPE}{use_case}",
            recommenderConfig={"enableMetadataWithRecommendations": True},
        )
        self.wait(3600)
        return str(made["recommenderArn"])

    def filter(self, expression: str, group: str | None = None) -> str:
        made = self.client.create_filter(
            name=self.name("f"),
            datasetGroupArn=group or self.group(),
            filterExpression=expression,
        )
        self.wait(60)
        return str(made["filterArn"])

    def ask(self, campaign: str, **params: Any) -> list[dict[str, Any]]:
        """Return the items that a campaign or a recommender recommends."""
        key = "recommenderArn" if ":recommender/" in campaign else "campaignArn"
        answer = self.runtime.get_recommendations(**{key: campaign, **params})
        return list(answer["itemList"])

    def job(self, version: str, body: str, **more: Any) -> dict[str, Any]:
        """Return the parameters of a batch job on an input of its own."""
        name = self.name("batch")
        self.objects[f"s3://data/in/{name}.json"] = body
        return {
            "jobName": name,
            "solutionVersionArn": version,
            "jobInput": {"s3DataSource": {"path": f"s3://data/in/{name}.json"}},
            "jobOutput": {"s3DataDestination": {"path": f"s3://data/out/{name}/"}},
            "roleArn": ROLE,
            **more,
        }
