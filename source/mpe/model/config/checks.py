"""What must hold in a config beyond its shape: for the service, and between its sections.

Every check yields all that it finds, as a problem with its path. The rules of the service
stand in its developer guide; where no page is named it is
https://docs.aws.amazon.com/personalize/latest/dg/limits.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mpe.model.config.sections import Config, ResourceConfig, SolutionConfig
from mpe.model.errors import Problem
from mpe.model.service import avro, filters, schedules, tuning
from mpe.model.service.names import BASE_LIMIT, NAME_LIMIT
from mpe.model.service.recipes import RECIPES, USER_SEGMENTATION, Recipe
from mpe.model.service.shapes import operation, shown, violations
from mpe.model.service.spec import SPECS

FILLED = {spec.noun: spec.filled for spec in SPECS.values() if spec.filled}
"""The Create parameters that the workflow fills in, by resource type."""
MADE_UP = frozenset({"jobName", "solutionVersionArn"})
"""Parameters that the service asks for and the workflow gives where the config does not."""
MOST_TAGS = 50
QUOTAS = {"Solution": 10, "Campaign": 5, "Recommender": 5, "Filter": 30}
"""How many of a type a dataset group may have, unless the account's quota was raised."""
LOCATION_LIMIT = 256
"""Characters of a place in S3."""
BUCKET_LIMIT = 63


def problems(config: Config) -> Iterator[Problem]:
    """Yield everything that is wrong with a config whose shape is right."""
    yield from _against_service(config)
    yield from _duplicates(config)
    yield from _maintenance(config)
    yield from _groups(config)
    yield from _domains(config)
    yield from _attribution(config)
    schemas = _schemas(config)
    if schemas is not None:  # else their own problems are told
        yield from _filters(config, schemas)
        yield from _columns(config, schemas)
    for solution in config.solutions:
        yield from _solution(solution, config)
    for recommender in config.recommenders:
        yield from _use_case(recommender, config)


def notes(config: Config) -> Iterator[Problem]:
    """Yield what is no problem, but what the user should know."""
    if "roleArn" in config.group.params:
        yield Problem(
            f"{config.group.path}.serviceConfig.roleArn", "the stack's own role is used instead."
        )
    if config.imports.params.get("publishAttributionMetricsToS3") and not config.metric_attribution:
        yield Problem(
            f"{config.imports.path}.serviceConfig.publishAttributionMetricsToS3",
            "has an effect only with a metric attribution, which this config does not have.",
        )
    for solution in config.solutions:
        yield from _solution_notes(solution)
    yield from _ages_without_effect(config)
    yield from _above_quota(config)


def _solution_notes(config: SolutionConfig) -> Iterator[Problem]:
    place = f"{config.solution.path}.serviceConfig"
    if config.solution.params.get("performAutoML"):
        yield Problem(
            f"{place}.performAutoML", "is deprecated by the service.", "Choose a recipe instead."
        )
    if _automatic(config) and "update" in config.solution.workflow.get("schedules", {}):
        yield Problem(
            f"{place}.performAutoTraining",
            "the service's own full trainings are billed beside the scheduled updates.",
        )


def _ages_without_effect(config: Config) -> Iterator[Problem]:
    aged = {"DatasetGroup", "Solution", "DatasetExportJob", "BatchInferenceJob", "BatchSegmentJob"}
    for noun, section in config.sections():
        if "maxAge" in section.workflow and noun not in aged:
            path = f"{section.path}.workflowConfig.maxAge"
            yield Problem(path, f"has no effect: a {noun} is not made again for its age.")


def _above_quota(config: Config) -> Iterator[Problem]:
    for noun, most in QUOTAS.items():
        found = [section for name, section in config.sections() if name == noun]
        if len(found) > most:
            yield Problem(
                found[most].path,
                f"the config has {len(found)} of type {noun}; a dataset group may have {most} "
                "unless the account's quota was raised.",
            )


# Each section against the service


def _against_service(config: Config) -> Iterator[Problem]:
    for noun, section in config.sections():
        yield from _params(noun, section)
        if "tags" in section.params and SPECS[noun].tagged:
            yield from _tags(section.params["tags"], f"{section.path}.serviceConfig.tags")
    tags = operation("TagResource").input_shape.members["tags"]
    yield from violations(tags, config.tags, "$.tags")
    yield from _tags(config.tags, "$.tags")
    for dataset in config.datasets:
        path = f"{dataset.schema.path}.serviceConfig.schema"
        if "schema" in dataset.schema.params:
            schema = dataset.schema.params["schema"]
            yield from avro.problems(schema, dataset.kind, config.domain, path)


def _params(noun: str, section: ResourceConfig) -> Iterator[Problem]:
    """Check a serviceConfig against the service's model of its Create operation."""
    place = f"{section.path}.serviceConfig"
    filled = FILLED.get(noun, frozenset())
    for name in filled & set(section.params):
        if (noun, name) != ("Schema", "domain"):  # held against the dataset group's: _domains
            yield Problem(f"{place}.{name}", "is filled in by the workflow.", "Remove it.")
    given = {name: value for name, value in section.params.items() if name not in filled}
    if isinstance(given.get("schema"), Mapping):
        given["schema"] = avro.dumps(given["schema"])
    missing = {Problem(f"{place}.{name}", "is required.", "Add it.") for name in filled | MADE_UP}
    for problem in violations(operation(f"Create{noun}").input_shape, given, place):
        if problem not in missing:
            yield problem


def _tags(tags: Any, path: str) -> Iterator[Problem]:
    """Check what the model does not say of tags.

    https://docs.aws.amazon.com/personalize/latest/dg/tagging-resources.html
    """
    if not isinstance(tags, list | tuple):
        return
    if len(tags) > MOST_TAGS:
        yield Problem(path, f"has {len(tags)} tags.", f"The most is {MOST_TAGS}.")
    seen: set[str] = set()
    for index, tag in enumerate(tags):
        key = tag.get("tagKey") if isinstance(tag, Mapping) else None
        if not isinstance(key, str):
            continue
        place = f"{path}[{index}].tagKey"
        if key.lower().startswith("aws:"):
            yield Problem(place, f"{key!r}: the prefix aws: is reserved.", "Choose another key.")
        if key in seen:
            yield Problem(place, f"{key!r} is there twice.", "Keep one.")
        seen.add(key)


# Names


def _duplicates(config: Config) -> Iterator[Problem]:
    """Find names used twice: they are unique in an account, not just in a dataset group."""
    seen: dict[tuple[str, str], str] = {}
    for noun, name, place in _names(config):
        if (noun, name) in seen:
            first = seen[noun, name]
            yield Problem(place, f"{name!r} is already used by {first}.", "Choose another name.")
        seen.setdefault((noun, name), place)


def _names(config: Config) -> Iterator[tuple[str, str, str]]:
    """Yield the noun, the name and the path of everything that the config names."""
    for noun, section in config.sections():
        name = section.params.get("name")
        if isinstance(name, str):
            yield noun, name, f"{section.path}.serviceConfig.name"
    for solution in config.solutions:
        for jobs, noun in (
            (solution.jobs("BatchInferenceJob"), "BatchInferenceJob"),
            (solution.jobs("BatchSegmentJob"), "BatchSegmentJob"),
        ):
            for base, section in jobs:
                yield noun, base, f"{section.path}.serviceConfig.jobName"


def _job_names(solution: SolutionConfig, config: Config) -> Iterator[Problem]:
    """Find names of jobs, and of the places they write to, that would come out too long."""
    jobs = (*solution.batch_inference_jobs, *solution.batch_segment_jobs)
    for section in jobs:
        name = section.params.get("jobName")
        if isinstance(name, str) and len(name) > BASE_LIMIT:
            yield Problem(
                f"{section.path}.serviceConfig.jobName",
                f"has {len(name)} characters; with the run's name the job's would have more than "
                f"{NAME_LIMIT}.",
                f"The most is {BASE_LIMIT}.",
            )
    group, own = config.group.params.get("name"), solution.solution.params.get("name")
    if jobs and isinstance(group, str) and isinstance(own, str):
        longest = f"s3://{'b' * BUCKET_LIMIT}/batch/{group}/{own}/{'j' * NAME_LIMIT}/"
        over = len(longest) - LOCATION_LIMIT
        if over > 0:
            yield Problem(
                f"{solution.solution.path}.serviceConfig.name",
                "with the dataset group's name it makes the place of its batch output longer than "
                f"{LOCATION_LIMIT} characters.",
                f"Shorten one of the two names by {over}.",
            )


# Schedules and ages


def _maintenance(config: Config) -> Iterator[Problem]:
    for _, section in config.sections():
        for path, expression in section.schedules.items():
            wrong = schedules.problem(expression)
            if wrong:
                yield Problem(path, f"{shown(expression)} is not a schedule: {wrong}.")
        age = section.workflow.get("maxAge")
        if age is not None and section.max_age is None:
            path = f"{section.path}.workflowConfig.maxAge"
            yield Problem(path, f"{shown(age)} is not understood.", 'Write it as "365 days".')
    name = config.group.workflow.get("timeZone")
    if name is not None:
        try:
            schedules.zone(name)
        except schedules.ScheduleError as error:
            yield Problem(f"{config.group.path}.workflowConfig.timeZone", f"{error}.")


def _automatic(config: SolutionConfig) -> bool:
    """Tell whether the config asks for automatic training in so many words."""
    return config.solution.params.get("performAutoTraining") is True


def _one_trainer(config: SolutionConfig) -> Iterator[Problem]:
    """Refuse that both a schedule and the service train a solution in full."""
    full = config.solution.workflow.get("schedules", {}).get("full")
    if not full or not _automatic(config) or schedules.problem(full):
        return
    ours = schedules.per_month(schedules.parse(full))
    rate = (config.solution.params.get("solutionConfig") or {}).get("autoTrainingConfig") or {}
    expression = str(rate.get("schedulingExpression", "rate(7 days)"))
    theirs = schedules.per_month(schedules.parse(expression)) if _is_rate(expression) else 4
    yield Problem(
        f"{config.solution.path}.serviceConfig.performAutoTraining",
        f"the service would train about {theirs} times a month beside the schedule's {ours}, and "
        "each training is billed.",
        "Remove it, or remove workflowConfig.schedules.full.",
    )


def _is_rate(expression: str) -> bool:
    return schedules.problem(expression) is None


# The sections against each other


def _domains(config: Config) -> Iterator[Problem]:
    """Hold the domain of a schema, which the AWS solution asks for, to the dataset group's."""
    for dataset in config.datasets:
        own = dataset.schema.params.get("domain", config.domain)
        if own != config.domain:
            yield Problem(
                f"{dataset.schema.path}.serviceConfig.domain",
                f"is {shown(own)}, and the domain of the dataset group is {shown(config.domain)}.",
                "Make them the same, or remove it: the schema gets the dataset group's.",
            )


def _groups(config: Config) -> Iterator[Problem]:
    for dataset in config.datasets:
        if config.domain and dataset.kind in {"actions", "actionInteractions"}:
            yield Problem(
                f"$.datasets.{dataset.kind}",
                f"a {config.domain} dataset group cannot hold it.",
                "Actions are for custom dataset groups, without a domain.",
            )
    if config.recommenders and not config.domain:
        yield Problem(
            "$.recommenders",
            "recommenders need a domain dataset group.",
            "Set $.datasetGroup.serviceConfig.domain, or use solutions with campaigns.",
        )
    if config.event_tracker and not config.has("interactions"):
        yield Problem("$.eventTracker", "an event tracker needs an interactions dataset.")


def _schemas(config: Config) -> dict[str, list[avro.Field]] | None:
    """Return the fields of each dataset, or None where a schema has problems."""
    found = {}
    for dataset in config.datasets:
        schema = dataset.schema.params.get("schema")
        if avro.problems(schema, dataset.kind, config.domain):
            return None
        found[dataset.kind] = avro.fields(avro.loads(schema))
    return found


def _filters(config: Config, schemas: Mapping[str, list[avro.Field]]) -> Iterator[Problem]:
    for one in config.filters:
        expression = one.params.get("filterExpression")
        if isinstance(expression, str):
            place = f"{one.path}.serviceConfig.filterExpression"
            yield from filters.problems(expression, schemas, place)
    yield from filters.problems_of_all(
        (f"{one.path}.serviceConfig.filterExpression", one.params["filterExpression"])
        for one in config.filters
        if isinstance(one.params.get("filterExpression"), str)
    )


_METRIC = re.compile(r"SAMPLECOUNT\(\)|SUM\((Interactions|Items)\.([A-Za-z_][A-Za-z0-9_]*)\)", re.I)


def _attribution(config: Config) -> Iterator[Problem]:
    """Check a metric attribution.

    https://docs.aws.amazon.com/personalize/latest/dg/metric-attribution-requirements.html
    """
    section = config.metric_attribution
    if section is None:
        return
    if not config.has("interactions"):
        yield Problem(section.path, "a metric attribution needs an interactions dataset.")
    metrics = section.params.get("metrics")
    seen: set[str] = set()
    for index, metric in enumerate(metrics if isinstance(metrics, list) else ()):
        if not isinstance(metric, Mapping):
            continue
        place = f"{section.path}.serviceConfig.metrics[{index}]"
        name, expression = metric.get("metricName"), metric.get("expression")
        if isinstance(name, str):
            if name in seen:
                yield Problem(f"{place}.metricName", f"{name!r} is there twice.", "Rename one.")
            seen.add(name)
        if isinstance(expression, str) and not _METRIC.fullmatch(expression):
            yield Problem(
                f"{place}.expression",
                f"{shown(expression)} is not understood.",
                "Use SAMPLECOUNT(), SUM(Interactions.COLUMN) or SUM(Items.COLUMN).",
            )


def _columns(config: Config, schemas: Mapping[str, list[avro.Field]]) -> Iterator[Problem]:
    """Find columns that are named but that no schema has, or that are not of the right type."""
    events = {one.name for one in schemas.get("interactions", ())}
    if config.metric_attribution:
        yield from _measured(config.metric_attribution, schemas)
    for section in (*(one.solution for one in config.solutions), *config.recommenders):
        place = f"{section.path}.serviceConfig"
        for key in ("solutionConfig", "recommenderConfig"):
            training = _object(_object(section.params, key), "trainingDataConfig")
            yield from _training_columns(training, schemas, f"{place}.{key}.trainingDataConfig")
        solution = _object(section.params, "solutionConfig")
        if "EVENT_TYPE" not in events:
            for path in ("eventType", "solutionConfig.eventsConfig"):
                if path.split(".")[-1] in {**section.params, **solution}:
                    yield Problem(
                        f"{place}.{path}", "needs the field EVENT_TYPE in the interactions' schema."
                    )
        yield from _objective(solution, schemas, place)


def _object(params: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = params.get(key)
    return found if isinstance(found, Mapping) else {}


def _measured(
    section: ResourceConfig, schemas: Mapping[str, list[avro.Field]]
) -> Iterator[Problem]:
    if "interactions" in schemas and not _field(schemas, "interactions", "EVENT_TYPE"):
        yield Problem(
            section.path,
            "a metric attribution needs the field EVENT_TYPE in the interactions' schema.",
        )
    metrics = section.params.get("metrics")
    for index, metric in enumerate(metrics if isinstance(metrics, list) else ()):
        expression = str(metric.get("expression")) if isinstance(metric, Mapping) else ""
        found = _METRIC.fullmatch(expression)
        if found and found[1]:
            field = _field(schemas, found[1].lower(), found[2])
            if field is None or field.type not in avro.NUMBERS:
                yield Problem(
                    f"{section.path}.serviceConfig.metrics[{index}].expression",
                    f"{found[1]}.{found[2]} is not a field with numbers of that dataset's schema.",
                )


def _training_columns(
    training: Mapping[str, Any], schemas: Mapping[str, list[avro.Field]], path: str
) -> Iterator[Problem]:
    for key in ("excludedDatasetColumns", "includedDatasetColumns"):
        for dataset, columns in _object(training, key).items():
            kind = dataset.lower()
            known = [one.name for one in schemas.get(kind, ())]
            if kind not in schemas:
                yield Problem(f"{path}.{key}.{dataset}", "this config has no such dataset.")
                continue
            for index, column in enumerate(columns if isinstance(columns, list) else ()):
                if column not in known:
                    yield Problem(
                        f"{path}.{key}.{dataset}[{index}]",
                        f"{shown(column)} is not a field of that schema.",
                        f"Its fields: {', '.join(known)}.",
                    )


def _objective(
    solution: Mapping[str, Any], schemas: Mapping[str, list[avro.Field]], place: str
) -> Iterator[Problem]:
    """Check an objective: a numeric column of the items.

    https://docs.aws.amazon.com/personalize/latest/dg/optimizing-solution-for-objective.html
    """
    attribute = _object(solution, "optimizationObjective").get("itemAttribute")
    if isinstance(attribute, str):
        field = _field(schemas, "items", attribute)
        if field is None or field.type not in avro.NUMBERS:
            yield Problem(
                f"{place}.solutionConfig.optimizationObjective.itemAttribute",
                f"{attribute!r} is not a field with numbers of the items' schema.",
            )


def _field(schemas: Mapping[str, list[avro.Field]], kind: str, name: str) -> avro.Field | None:
    return next((one for one in schemas.get(kind, ()) if one.name == name), None)


# Recipes


def _solution(config: SolutionConfig, whole: Config) -> Iterator[Problem]:
    params, place = config.solution.params, f"{config.solution.path}.serviceConfig"
    yield from _job_names(config, whole)
    yield from _one_trainer(config)
    yield from _pinned(config)
    yield from _own_filters(config, whole)
    yield from _automl(config)
    mode = config.version.params.get("trainingMode") if config.version else None
    if config.version and mode == "AUTOTRAIN":
        where = f"{config.version.path}.serviceConfig.trainingMode"
        yield Problem(where, "AUTOTRAIN is for the service itself.", "Use FULL.")
    arn = params.get("recipeArn")
    if params.get("performAutoML"):
        if arn is not None:
            yield Problem(
                f"{place}.recipeArn", "a solution with performAutoML has no recipe.", "Remove one."
            )
    elif arn is None:
        yield Problem(f"{place}.recipeArn", "is required.", "Add it.")
    elif config.recipe is None:
        yield _unknown_recipe(f"{place}.recipeArn", arn, None)
    elif config.recipe.domain:
        yield Problem(
            f"{place}.recipeArn",
            f"{config.recipe.name} makes recommenders.",
            "Move it to recommenders.",
        )
    else:
        yield from _needs_data(config.recipe, whole, f"{place}.recipeArn")
        yield from _unsupported(config, config.recipe)
        solution_config = _object(params, "solutionConfig")
        yield from tuning.problems(config.recipe, solution_config, f"{place}.solutionConfig")
        yield from _unsupported_jobs(config, config.recipe)


def _automl(config: SolutionConfig) -> Iterator[Problem]:
    """Check the recipes that a solution with performAutoML may choose from."""
    automl = _object(_object(config.solution.params, "solutionConfig"), "autoMLConfig")
    recipes = automl.get("recipeList")
    place = f"{config.solution.path}.serviceConfig.solutionConfig.autoMLConfig.recipeList"
    for index, arn in enumerate(recipes if isinstance(recipes, list) else ()):
        recipe = RECIPES.get(arn) if isinstance(arn, str) else None
        if isinstance(arn, str) and (recipe is None or recipe.domain):
            yield _unknown_recipe(f"{place}[{index}]", arn, None)


def _unknown_recipe(path: str, arn: Any, domain: str | None) -> Problem:
    known = [recipe.arn for recipe in RECIPES.values() if recipe.domain == domain]
    return Problem(path, f"{shown(arn)} is not a recipe.", f"Known: {', '.join(known)}.")


def _unsupported(config: SolutionConfig, recipe: Recipe) -> Iterator[Problem]:
    """Find options that the recipe does not have."""
    params, place = config.solution.params, f"{config.solution.path}.serviceConfig"
    told = f"{recipe.name} does not support it."
    if params.get("performHPO") and not recipe.hpo:
        yield Problem(f"{place}.performHPO", told, "Remove it.")
    if params.get("performIncrementalUpdate") and not recipe.incremental:
        yield Problem(f"{place}.performIncrementalUpdate", told, "Remove it.")
    if "optimizationObjective" in _object(params, "solutionConfig") and not recipe.objective:
        yield Problem(f"{place}.solutionConfig.optimizationObjective", told, "Remove it.")
    mode = config.version.params.get("trainingMode") if config.version else None
    if config.version and mode == "UPDATE" and not recipe.updates:
        where = f"{config.version.path}.serviceConfig.trainingMode"
        yield Problem(where, f"{recipe.name} does not support UPDATE.", "Use FULL.")
    if "update" in config.solution.workflow.get("schedules", {}) and not recipe.updates:
        where = f"{config.solution.path}.workflowConfig.schedules.update"
        yield Problem(where, f"{recipe.name} does not support UPDATE.", "Use schedules.full.")
    yield from _automatic_rate(params, place)


def _automatic_rate(params: Mapping[str, Any], place: str) -> Iterator[Problem]:
    """Check how often the service may train by itself.

    https://docs.aws.amazon.com/personalize/latest/dg/solution-config-auto-training.html
    """
    config = _object(_object(params, "solutionConfig"), "autoTrainingConfig")
    expression = config.get("schedulingExpression")
    found = re.fullmatch(r"rate\((\d+) days?\)", str(expression))
    if found and not 1 <= int(found[1]) <= 30:
        yield Problem(
            f"{place}.solutionConfig.autoTrainingConfig.schedulingExpression",
            f"{shown(expression)} is not from rate(1 day) to rate(30 days).",
        )


def _own_filters(solution: SolutionConfig, config: Config) -> Iterator[Problem]:
    """Check the filters of batch jobs: they are this config's, so none of another group's.

    The account and the region are checked where the place is known (mpe.model.plan.foreign).
    """
    known = [str(one.params.get("name")) for one in config.filters]
    for section in (*solution.batch_inference_jobs, *solution.batch_segment_jobs):
        arn = section.params.get("filterArn")
        found = _FILTER.fullmatch(arn) if isinstance(arn, str) else None
        if isinstance(arn, str) and (found is None or found[1] not in known):
            yield Problem(
                f"{section.path}.serviceConfig.filterArn",
                f"{shown(arn)} is not a filter of this config.",
                f"Its filters: {', '.join(known) or 'none'}. Add it to $.filters.",
            )


_FILTER = re.compile(r"arn:[a-z0-9-]+:personalize:[a-z0-9-]+:[0-9]{12}:filter/([A-Za-z0-9_-]+)")
_VERSION = re.compile(
    r"arn:[a-z0-9-]+:personalize:[a-z0-9-]+:[0-9]{12}:solution/([A-Za-z0-9_-]+)/[A-Za-z0-9_$-]+"
)


def _pinned(config: SolutionConfig) -> Iterator[Problem]:
    """Check a campaign that stays at a version: it is one of its solution's."""
    own = config.solution.params.get("name")
    for section in config.campaigns:
        arn = section.params.get("solutionVersionArn")
        place = f"{section.path}.serviceConfig.solutionVersionArn"
        found = _VERSION.fullmatch(arn) if isinstance(arn, str) else None
        if isinstance(arn, str) and (found is None or found[1] != own):
            yield Problem(
                place,
                f"{shown(arn)} is not a version of this solution.",
                "Remove it, and the campaign follows the newest version.",
            )
        own_config = _object(section.params, "campaignConfig")
        if isinstance(arn, str) and own_config.get("syncWithLatestSolutionVersion"):
            yield Problem(
                place,
                "a campaign cannot both stay at a version and follow the newest.",
                "Remove it, or syncWithLatestSolutionVersion.",
            )


def _unsupported_jobs(config: SolutionConfig, recipe: Recipe) -> Iterator[Problem]:
    """Find campaigns and batch jobs that the recipe cannot serve."""
    segments = recipe.type == USER_SEGMENTATION
    if segments:
        for section in config.campaigns:
            yield Problem(
                section.path, f"{recipe.name} has no campaigns.", "Use batchSegmentJobs instead."
            )
    for section in config.batch_inference_jobs:
        if not recipe.batch:
            remedy = "Use batchSegmentJobs instead." if segments else "Remove it."
            yield Problem(section.path, f"{recipe.name} has no batch inference.", remedy)
        yield from _themes(section, recipe)
    if not segments:
        for section in config.batch_segment_jobs:
            known = ", ".join(one.name for one in RECIPES.values() if one.type == USER_SEGMENTATION)
            yield Problem(
                section.path, f"{recipe.name} makes no segments.", f"Those that do: {known}."
            )


def _themes(section: ResourceConfig, recipe: Recipe) -> Iterator[Problem]:
    """Check theme generation.

    https://docs.aws.amazon.com/personalize/latest/dg/themed-batch-recommendations.html
    """
    place = f"{section.path}.serviceConfig"
    wanted = section.params.get("batchInferenceJobMode") == "THEME_GENERATION"
    given = "themeGenerationConfig" in section.params
    if wanted and not recipe.themes:
        yield Problem(f"{place}.batchInferenceJobMode", f"{recipe.name} has no themes.")
    if wanted and not given:
        yield Problem(f"{place}.themeGenerationConfig", "is required for themes.", "Add it.")
    if given and not wanted:
        yield Problem(
            f"{place}.themeGenerationConfig",
            "has an effect only with themes.",
            "Set batchInferenceJobMode to THEME_GENERATION.",
        )


def _needs_data(recipe: Recipe, config: Config, path: str) -> Iterator[Problem]:
    for kind in recipe.datasets:
        if not config.has(kind):
            yield Problem(
                path, f"{recipe.name} needs the {kind} dataset.", f"Add $.datasets.{kind}."
            )


def _use_case(section: ResourceConfig, config: Config) -> Iterator[Problem]:
    place = f"{section.path}.serviceConfig.recipeArn"
    recipe = RECIPES.get(str(section.params.get("recipeArn")))
    if recipe is None or recipe.domain is None:
        yield _unknown_recipe(place, section.params.get("recipeArn"), config.domain)
    elif recipe.domain != config.domain:
        yield Problem(place, f"{recipe.name} is for {recipe.domain}, not {config.domain}.")
    else:
        yield from _needs_data(recipe, config, place)
