"""What a config for some data should ask for, each choice with its reason."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mpe.model.service.avro import RULES, Field
from mpe.model.service.names import NAME_LIMIT
from mpe.model.service.recipes import PREFIX, RECIPES, Recipe

LEAST = 1000
"""Interactions that a training, and the event of a use case, needs."""
GROUP_LIMIT = 26
"""Characters of the dataset group's name, with which all others begin."""
DAILY = "cron(0 2 * * ? *)"
WEEKLY = "cron(0 {hour} ? * SUN *)"
FIRST_TRAINING = 4
"""The hour at which the first solution is trained; the next follow, an hour apart."""
BOUGHT = ("purchase", "buy", "bought", "order", "transaction", "checkout", "sale")
SEEN = ("view", "watch", "click", "play", "listen", "read", "stream", "seen", "rating", "visit")
MOST_EVENT_TYPES = 10
MOST_CATEGORIES = 1_000
"""More are no choice for a filter, nor what the guide recommends:
https://docs.aws.amazon.com/personalize/latest/dg/items-datasets.html."""
USUAL = frozenset({"category", "categories", "genre", "genres", "department", "section", "type"})


@dataclass(frozen=True)
class Known:
    """What is known of the data when a config is proposed."""

    group: str
    fields: Mapping[str, Sequence[Field]]
    interactions: int
    events: Mapping[str, int]
    """How often each event type is there, the most frequent first."""
    domain: str | None = None
    zone: str = "UTC"
    categories: Mapping[str, int] = field(default_factory=dict)
    """How many categories each of the items' columns has."""

    @property
    def described(self) -> bool:
        """Whether the items have metadata that training can use."""
        return "items" in self.fields


@dataclass(frozen=True)
class Choice:
    """One thing that the config asks for, and why."""

    what: str
    why: str


def group_name(text: str) -> str:
    """Return a dataset group's name made of a text."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-_").lower()[:GROUP_LIMIT].rstrip("-_")
    return name or "recommendations"


def propose(known: Known) -> tuple[dict[str, Any], list[Choice]]:
    """Return a config's document and its choices."""
    proposal = _Proposal(known)
    return proposal.document(), list(proposal.choices())


@dataclass(frozen=True)
class _Proposal:
    known: Known

    def document(self) -> dict[str, Any]:
        group = {"name": self.known.group}
        if self.known.domain:
            group["domain"] = self.known.domain
        sections: dict[str, Any] = {
            "datasetGroup": {
                "serviceConfig": group,
                "workflowConfig": {
                    "schedules": {"import": DAILY},
                    "timeZone": self.known.zone,
                },
            },
            "datasets": {
                "serviceConfig": {"importMode": "FULL"},
                **{kind: self._dataset(kind, fields) for kind, fields in self.known.fields.items()},
            },
            "eventTracker": {"serviceConfig": {"name": f"{self.known.group}-tracker"}},
        }
        lists = {
            "filters": [
                _named(self._name(name), filterExpression=e) for name, e, _ in self._filters()
            ],
            "recommenders": [
                _named(self._case(recipe), recipeArn=recipe.arn) for recipe in self._use_cases()
            ],
            "solutions": [] if self.known.domain else list(self._solutions()),
        }
        return sections | {key: value for key, value in lists.items() if value}

    def choices(self) -> Iterator[Choice]:
        yield Choice(
            f"import every day, `{DAILY}` in {self.known.zone}",
            "Only data that is newer than the last import is imported: put a new CSV there, and "
            "it is taken the next night.",
        )
        yield from self._recommender_choices() if self.known.domain else self._solution_choices()
        for name, _, why in self._filters():
            yield Choice(f"filter `{self._name(name)}`", why)
        yield Choice(
            f"event tracker `{self.known.group}-tracker`",
            "Your application can send events to it as they happen; it costs nothing while it "
            "gets none.",
        )

    # Datasets

    def _name(self, end: str) -> str:
        return f"{self.known.group}-{end}"[:NAME_LIMIT]

    def _dataset(self, kind: str, fields: Sequence[Field]) -> dict[str, Any]:
        name = self._name(kind)
        schema = {
            "type": "record",
            "name": RULES[kind].record,
            "namespace": "com.amazonaws.personalize.schema",
            "fields": [_avro(one) for one in fields],
            "version": "1.0",
        }
        return {"dataset": _named(name), "schema": _named(name, schema=schema)}

    # Solutions

    def _solutions(self) -> Iterator[dict[str, Any]]:
        for number, (name, recipe, _) in enumerate(self._recipes()):
            weekly = WEEKLY.format(hour=FIRST_TRAINING + number)
            solution = _named(self._name(name), recipeArn=PREFIX + recipe)
            solution["workflowConfig"] = {"schedules": {"full": weekly}}
            if number == 0:
                solution["campaigns"] = [_named(self._name(name), minProvisionedTPS=1)]
            yield solution

    def _recipes(self) -> Iterator[tuple[str, str, str]]:
        yield (
            "for-you",
            "aws-user-personalization-v2",
            "Recommends to each user, from what they and others did. It alone has a campaign, "
            "which serves it and costs by the hour: the others wait until you want one.",
        )
        if self.known.described:
            yield (
                "similar",
                "aws-similar-items",
                "The items have metadata, so items like another can be found even where few "
                "people met them. Add a campaign when a page of yours shows them.",
            )
        yield (
            "popular",
            "aws-popularity-count",
            "The baseline: the same items for all. If the metrics of the others are not better, "
            "they are not worth their price.",
        )

    def _solution_choices(self) -> Iterator[Choice]:
        for number, (name, recipe, why) in enumerate(self._recipes()):
            yield Choice(f"solution `{self._name(name)}`, recipe `{recipe}`", why)
            weekly = WEEKLY.format(hour=FIRST_TRAINING + number)
            yield Choice(
                f"train `{self._name(name)}` every week, `{weekly}` in {self.known.zone}",
                "As often as the service itself would, which is off then; each training is billed.",
            )
        if self.known.interactions < LEAST:
            yield Choice("**too few interactions**", self._too_few())

    def _too_few(self) -> str:
        return (
            f"The service trains from {LEAST:,} interactions on, and there are "
            f"{self.known.interactions:,}: collect more before you upload this."
        )

    # Recommenders

    def _cases(self) -> Iterator[Recipe]:
        for recipe in RECIPES.values():
            if recipe.domain and recipe.domain == self.known.domain:
                yield recipe

    def _case(self, recipe: Recipe) -> str:
        return self._name(recipe.name.removeprefix("aws-").partition("-")[2])

    def _lack(self, recipe: Recipe) -> str | None:
        """Return what a use case lacks, or None."""
        missing = [kind for kind in recipe.datasets if kind not in self.known.fields]
        if missing:
            return f"It needs the dataset {missing[0]}."
        have = self.known.events.get(recipe.event, 0) if recipe.event else self.known.interactions
        what = f"{recipe.event} events" if recipe.event else "interactions"
        if have < LEAST:
            return f"It needs {LEAST:,} {what}; there are {have:,}."
        return None

    def _use_cases(self) -> list[Recipe]:
        return [recipe for recipe in self._cases() if self._lack(recipe) is None]

    def _recommender_choices(self) -> Iterator[Choice]:
        for recipe in self._cases():
            lack = self._lack(recipe)
            if lack:
                yield Choice(f"no recommender `{recipe.name}`", lack)
            else:
                have = f"{recipe.event} events" if recipe.event else "interactions"
                why = (
                    f"There are {LEAST:,} {have} or more. It costs by the hour while it is active."
                )
                yield Choice(f"recommender `{self._case(recipe)}`, use case `{recipe.name}`", why)
        if not self._use_cases():
            yield Choice("**no use case has the events it needs**", self._too_few())

    # Filters

    def _filters(self) -> Iterator[tuple[str, str, str]]:
        names = {one.name for one in self.known.fields["interactions"]}
        if "EVENT_TYPE" in names:
            yield from self._event_filters()
        yield from self._category_filter()

    def _event_filters(self) -> Iterator[tuple[str, str, str]]:
        bought = [one for one in self.known.events if _means(one, BOUGHT)][:MOST_EVENT_TYPES]
        seen = [one for one in self.known.events if _means(one, SEEN)][:MOST_EVENT_TYPES]
        for end, events in (("not-bought", bought), ("not-seen", seen)):
            if events:
                told = f"Leaves out what the user had a {' or '.join(events)} event with."
                yield end, _exclude(events), told
        if not bought and not seen and self.known.events:
            told = "Leaves out whatever the user had any event with."
            yield "not-known", 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")', told

    def _category_filter(self) -> Iterator[tuple[str, str, str]]:
        able = [
            one
            for one in self.known.fields.get("items", ())
            if one.categorical and 2 <= self.known.categories.get(one.name, 2) <= MOST_CATEGORIES
        ]
        usual = [one for one in able if any(word in USUAL for word in one.name.lower().split("_"))]
        for one in [*usual, *able]:
            if one.categorical:
                expression = f"INCLUDE ItemID WHERE Items.{one.name} IN (${one.name})"
                told = f"Recommends only items of some {one.name}, which each request names."
                yield f"by-{one.name.lower().replace('_', '-')}"[:20].rstrip("-"), expression, told
                return


def _named(name: str, **more: Any) -> dict[str, Any]:
    return {"serviceConfig": {"name": name, **more}}


def _avro(field: Field) -> dict[str, Any]:
    types = list(field.types)
    told: dict[str, Any] = {"name": field.name, "type": types if len(types) > 1 else types[0]}
    if field.categorical:
        told["categorical"] = True
    if field.textual:
        told["textual"] = True
    return told


def _means(event: str, words: Sequence[str]) -> bool:
    """Tell whether an event type means one of some words, and may stand in an expression."""
    parts = re.split(r"[^a-z]+", event.lower())
    quotable = '"' not in event and "\\" not in event
    return quotable and any(part.startswith(word) for part in parts for word in words)


def _exclude(events: Sequence[str]) -> str:
    listed = ", ".join(f'"{one}"' for one in events)
    return f"EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ({listed})"
