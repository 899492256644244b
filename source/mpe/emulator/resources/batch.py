"""Batch inference jobs and batch segment jobs: JSON lines in, JSON lines out.

The lines are those of
https://docs.aws.amazon.com/personalize/latest/dg/batch-data-upload.html and
https://docs.aws.amazon.com/personalize/latest/dg/prepare-input-data-user-segment.html.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mpe.emulator.data import Dataset
from mpe.emulator.learned import Model
from mpe.emulator.lifecycle import WorkFailed
from mpe.emulator.resources import options
from mpe.emulator.resources.base import Kind, Params, check_running, invalid
from mpe.emulator.resources.files import check_location, check_role, chunks, files, working, write
from mpe.emulator.sieve import Asked, Test, datasets_of, needs_item, reads_events, sieve
from mpe.emulator.state import Resource, World
from mpe.emulator.tables import lines_of
from mpe.emulator.wire import ServiceError
from mpe.model.service.filters import FilterError
from mpe.model.service.recipes import (
    PERSONALIZED_RANKING,
    POPULAR_ITEMS,
    RECIPES,
    RELATED_ITEMS,
    USER_SEGMENTATION,
    Recipe,
)

DEFAULT_RESULTS = 25
MOST_RESULTS = 500
THEMES = "THEME_GENERATION"
WRONG_INPUT, WRONG_OUTPUT = "Invalid S3 input path", "Invalid S3 output path"
"""https://docs.aws.amazon.com/personalize/latest/dg/error-messages.html"""
MOST_QUERIES = {"aws-item-affinity": 500, "aws-item-attribute-affinity": 10}
"""Lines of an input file (https://docs.aws.amazon.com/personalize/latest/dg/native-recipe-item-affinity.html,
https://docs.aws.amazon.com/personalize/latest/dg/native-recipe-item-attribute-affinity.html)."""
CHECK = "_CHECK"
"""An object that the service leaves where it writes, as listings show in
aws-samples/amazon-personalize-samples (update-item-dataset-schema-example.ipynb, cell 114)."""
Line = dict[str, Any]


class BadLine(Exception):
    """A line of the input cannot be answered; the message goes beside it in the output."""


@dataclass(frozen=True)
class Job:
    """What a batch job answers its lines with."""

    world: World
    params: Params
    recipe: Recipe
    model: Model
    group: str

    @property
    def count(self) -> int:
        return int(self.params.get("numResults", DEFAULT_RESULTS))

    def ranked(self, line: Line) -> list[tuple[str, float]]:
        """Return the items that a line asks for, the best first."""
        if self.recipe.type == PERSONALIZED_RANKING:
            return self.model.order_for(_text(line, "userId"), _texts(line, "itemList"))
        by_item = self.recipe.type == RELATED_ITEMS
        key = "itemId" if by_item else "userId"
        asked = {"item" if by_item else "user": _text(line, key)}
        keep = self._sieve(line)
        if keep is None:
            return self.model.recommend(**asked, count=self.count)
        every = self.model.recommend(**asked, count=len(self.model.popular))
        return [(item, score) for item, score in every if keep(item)][: self.count]

    def audience(self, line: Line) -> list[str]:
        """Return the users that a line asks for, who like it most first."""
        if self.recipe.name == "aws-item-affinity":
            return self.model.audience(self.model.near(_text(line, "itemId")), self.count)
        expression = f"INCLUDE ItemID WHERE {_text(line, 'itemAttributes')}"
        try:
            wanted = sieve(datasets_of(self.world, self.group), expression, Asked())
        except FilterError as error:
            raise BadLine(f"itemAttributes: {error}") from None
        liked = {item: 1.0 for item in self.model.popular if wanted(item)}
        return self.model.audience(liked, self.count)

    def _sieve(self, line: Line) -> Test | None:
        arn = self.params.get("filterArn")
        if not arn:
            return None
        expression = self.world.get("Filter", arn).fields["filterExpression"]
        asked = Asked(line.get("userId"), line.get("itemId"), line.get("filterValues", {}))
        try:
            return sieve(datasets_of(self.world, self.group), expression, asked)
        except ServiceError as error:
            raise BadLine(error.message) from None

    def theme(self, ranked: Iterable[tuple[str, float]]) -> dict[str, Any]:
        """Name what the items have in common: their most frequent value of any category."""
        rows = self._items().rows
        name = self.params["themeGenerationConfig"]["fieldsForThemeGeneration"]["itemName"]
        words = [_categories(rows.get(item, {}), without=name) for item, _ in ranked]
        common = Counter(word for one in words for word in one).most_common(1)
        theme = common[0][0] if common else ""
        return {"theme": theme, "itemsThemeRelevanceScores": [float(theme in one) for one in words]}

    def _items(self) -> Dataset:
        for dataset in self.world.of("Dataset", datasetGroupArn=self.group, datasetType="ITEMS"):
            assert dataset.data is not None
            return dataset.data
        raise WorkFailed("Theme generation needs an items dataset.")


class BatchKind(Kind):
    """What both types of batch jobs share."""

    def check(self, world: World, params: Params) -> None:
        version = world.need_active("SolutionVersion", params["solutionVersionArn"])
        recipe = RECIPES[version.fields["recipeArn"]]
        self.check_recipe(recipe, params)
        source, target, role = _source(params), _target(params), params["roleArn"]
        if source == target:
            raise invalid(f"{WRONG_OUTPUT}: {target} is the input path.")
        check_role(world, role)
        check_location(world, source, role, ".json", prefix=True, told=WRONG_INPUT)
        if not 1 <= params.get("numResults", DEFAULT_RESULTS) <= self.most_results:
            raise invalid(f"numResults must be from 1 to {self.most_results}.")
        options.check_exploration(params.get("batchInferenceJobConfig", {}))
        if "filterArn" in params:
            found = world.need_active("Filter", params["filterArn"])
            if found.fields["datasetGroupArn"] != version.fields["datasetGroupArn"]:
                raise invalid(f"{found.arn} is of another dataset group.")
            self.check_filter(recipe, found.fields["filterExpression"])
        check_running(world, self.noun, world.quotas.batch_jobs)

    most_results = MOST_RESULTS

    def check_recipe(self, recipe: Recipe, params: Params) -> None:
        """Refuse a recipe that the job is not for."""

    def check_filter(self, recipe: Recipe, expression: str) -> None:
        """Refuse a filter that the recipe cannot go by.

        https://docs.aws.amazon.com/personalize/latest/dg/creating-filter-expressions.html
        """
        if needs_item(expression) and recipe.type != RELATED_ITEMS:
            raise invalid("A filter that goes by CurrentItem is for related items alone.")

    def answer(self, job: Job, line: Line) -> Line:
        """Return the line of the output for a line of the input."""
        raise NotImplementedError(self.noun)

    def fields(self, world: World, params: Params, arn: str) -> dict[str, Any]:
        return {"numResults": DEFAULT_RESULTS, **super().fields(world, params, arn)}

    def task(self, world: World, params: Params, made: Resource) -> Callable[[], None]:
        version = world.get("SolutionVersion", params["solutionVersionArn"])
        assert isinstance(version.model, Model)
        recipe = RECIPES[version.fields["recipeArn"]]
        job = Job(world, params, recipe, version.model, version.fields["datasetGroupArn"])
        source, target, role = _source(params), _target(params), params["roleArn"]

        def work() -> None:
            for url in files(world, source, role, ".json", prefix=True):
                asked = list(_lines(chunks(world, url, role), url))
                if len(asked) > MOST_QUERIES.get(recipe.name, len(asked)):
                    most = MOST_QUERIES[recipe.name]
                    raise WorkFailed(f"{url} has more than {most} queries: {len(asked)}")
                answers = [json.dumps(self._answered(job, line)) for line in asked]
                name = url.rsplit("/", 1)[-1]
                body = "\n".join(answers) + "\n" if answers else ""
                write(world, f"{target.rstrip('/')}/{name}.out", body, role)
            write(world, f"{target.rstrip('/')}/{CHECK}", "", role)

        return working(source, work)

    def _answered(self, job: Job, line: Line) -> Line:
        try:
            return self.answer(job, line)
        except BadLine as error:
            return {"input": line, "output": None, "error": str(error)}


class BatchInferenceJobKind(BatchKind):
    noun = "BatchInferenceJob"

    def check_recipe(self, recipe: Recipe, params: Params) -> None:
        if not recipe.batch:
            raise invalid(f"{recipe.name} does not support batch inference.")
        if params.get("batchInferenceJobMode") == THEMES:
            if not recipe.themes:
                raise invalid(f"{recipe.name} does not support {THEMES}.")
            if "themeGenerationConfig" not in params:
                raise invalid(f"{THEMES} needs a themeGenerationConfig.")

    def fields(self, world: World, params: Params, arn: str) -> dict[str, Any]:
        mode = {"batchInferenceJobMode": "BATCH_INFERENCE"}
        return {**mode, **super().fields(world, params, arn)}

    def answer(self, job: Job, line: Line) -> Line:
        ranked = job.ranked(line)
        output: dict[str, Any] = {"recommendedItems": [item for item, _ in ranked]}
        if job.params.get("batchInferenceJobMode") == THEMES:
            output |= job.theme(ranked)
        elif job.recipe.type not in {POPULAR_ITEMS, RELATED_ITEMS}:
            output["scores"] = [score for _, score in ranked]
        return {"input": line, "output": output, "error": None}


class BatchSegmentJobKind(BatchKind):
    noun = "BatchSegmentJob"
    most_results = 5_000_000

    def check_recipe(self, recipe: Recipe, params: Params) -> None:
        if recipe.type != USER_SEGMENTATION:
            raise invalid(f"{recipe.name} makes no user segments.")

    def check_filter(self, recipe: Recipe, expression: str) -> None:
        """Refuse a filter on what users did where segments are by attributes of items.

        https://docs.aws.amazon.com/personalize/latest/dg/filter-expression-guidelines-requirements.html
        """
        super().check_filter(recipe, expression)
        if recipe.name == "aws-item-attribute-affinity" and reads_events(expression):
            raise invalid(f"{recipe.name} cannot be filtered by interactions.")

    def answer(self, job: Job, line: Line) -> Line:
        """Return a line as outputs of 2021 and 2023 have it; the guide says recommendedUsers.

        aws-samples/amazon-personalize-samples user_segmentation_example.ipynb, cells 82 and 148.
        """
        return {"input": line, "output": {"usersList": job.audience(line)}, "error": None}


def _source(params: Params) -> str:
    return str(params["jobInput"]["s3DataSource"]["path"])


def _target(params: Params) -> str:
    return str(params["jobOutput"]["s3DataDestination"]["path"])


def _lines(body: Iterator[bytes], url: str) -> Iterator[Line]:
    """Yield the objects of a file of JSON lines."""
    for number, text in enumerate(lines_of(body), 1):
        if text.strip():
            try:
                line = json.loads(text)
            except ValueError:
                line = None
            if not isinstance(line, dict):
                raise WorkFailed(f"Line {number} of {url} is not a JSON object.")
            yield line


def _text(line: Line, key: str) -> str:
    value = line.get(key)
    if not isinstance(value, str | int):
        raise BadLine(f"{key} is missing.")
    return str(value)


def _texts(line: Line, key: str) -> list[str]:
    value = line.get(key)
    if not isinstance(value, list):
        raise BadLine(f"{key} is missing.")
    return [str(one) for one in value]


def _categories(row: dict[str, Any], without: str) -> set[str]:
    return {
        word
        for name, value in row.items()
        if isinstance(value, str) and name not in {"ITEM_ID", without}
        for word in value.split("|")
    }
