"""The page of what of the service is covered, made from the service's models and the tests.

``python -m tests.coverage`` writes docs/coverage.md. A parameter "has its effect" only where a
test is named that fails if it has none; what is "kept only" is validated, kept and described.
"""

from __future__ import annotations

from collections.abc import Iterator

from botocore.model import StructureShape

from mpe.model.service.shapes import service_model
from mpe.model.service.spec import SPECS
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "coverage.md"
SERVICES = ("personalize", "personalize-runtime", "personalize-events")
EFFECT, KEPT, NOT = "has its effect", "kept only", "not emulated"
OPENED = frozenset(
    {"campaignConfig", "recommenderConfig", "solutionConfig", "solutionUpdateConfig"}
    | {"batchInferenceJobConfig", "metricsOutputConfig"}
)
"""Structures whose members have rows of their own."""

PROBES = {
    "name": "test_a_name_is_taken_once_in_an_account_and_region",
    "jobName": "test_a_name_is_taken_once_in_an_account_and_region",
    "tags": "test_a_resource_has_at_most_fifty_tags_from_its_creation_on",
    "tagKeys": "test_tags_are_kept_added_and_removed",
    "maxResults": "test_lists_come_in_pages_and_by_parent",
    "nextToken": "test_lists_come_in_pages_and_by_parent",
    "numResults": "test_a_batch_job_recommends_for_each_line",
    "filterArn": "test_a_batch_job_applies_its_filter_with_the_lines_values",
    "jobInput": "test_an_input_without_a_slash_at_its_end_is_a_prefix",
    "jobOutput": "test_a_role_that_may_not_write_fails_the_job",
    "roleArn": "test_a_role_that_may_not_write_fails_the_job",
    "batchInferenceJobMode": "test_themes_say_what_the_items_have_in_common",
    "themeGenerationConfig": "test_themes_say_what_the_items_have_in_common",
    "dataSource": "test_an_import_needs_something_to_import",
    "datasetType": "test_a_group_has_one_dataset_of_a_type_and_one_event_tracker",
    "schema": "test_a_schema_against_the_rules_is_refused",
    "domain": "test_a_recipe_must_be_of_the_domain",
    "kmsKeyArn": "test_an_encrypted_group_becomes_active_only_where_its_key_can_be_used",
    "ingestionMode": "test_events_are_exported_apart_from_bulk_data",
    "importMode": "test_an_incremental_import_needs_a_bulk_import_before",
    "publishAttributionMetricsToS3": "test_an_import_that_publishes_nothing_writes_no_report",
    "filterExpression": "test_a_filter_leaves_out_what_the_user_bought",
    "metrics": "test_an_import_publishes_the_reports_of_a_metric_attribution",
    "addMetrics": "test_a_metric_attribution_is_updated_by_adding_and_removing",
    "removeMetrics": "test_a_metric_attribution_is_updated_by_adding_and_removing",
    "metricsOutputConfig.s3DataDestination": (
        "test_an_import_publishes_the_reports_of_a_metric_attribution"
    ),
    "metricsOutputConfig.roleArn": "test_a_metric_attribution_needs_a_role_that_trusts_the_service",
    "performHPO": "test_a_version_that_was_not_tuned_tells_nothing_of_it",
    "performAutoML": "test_automl_trains_and_tells_the_recipe_that_it_chose",
    "performAutoTraining": "test_a_solution_trains_by_itself_unless_told_not_to",
    "eventType": "test_training_on_too_little_fails_in_the_services_words",
    "trainingMode": "test_an_update_with_nothing_new_is_refused",
    "solutionConfig.eventValueThreshold": "test_training_on_too_little_fails_in_the_services_words",
    "solutionConfig.hpoConfig": (
        "test_a_version_that_was_tuned_tells_what_was_found_within_the_ranges"
    ),
    "solutionConfig.autoMLConfig": "test_automl_chooses_only_among_recipes_for_users",
    "solutionConfig.eventsConfig": (
        "test_weights_of_events_are_measured_and_choose_what_is_trained"
    ),
    "solutionConfig.optimizationObjective": "test_an_objective_is_measured_and_its_column_counts",
    "solutionConfig.autoTrainingConfig": "test_a_solution_trains_by_itself_unless_told_not_to",
    "solutionUpdateConfig.autoTrainingConfig": (
        "test_an_update_cannot_train_more_seldom_than_every_thirty_days"
    ),
    "campaignConfig.syncWithLatestSolutionVersion": (
        "test_a_campaign_that_follows_the_latest_moves_by_itself"
    ),
    "campaignConfig.enableMetadataWithRecommendations": "test_metadata_must_be_enabled",
    "campaignConfig.itemExplorationConfig": ("test_exploration_shows_unknown_items_by_its_weight"),
    "recommenderConfig.enableMetadataWithRecommendations": "test_metadata_must_be_enabled",
    "promotions": "test_promoted_items_are_named_and_as_many_as_asked",
    "metadataColumns": "test_metadata_has_keys_in_lower_case_and_values_as_text",
    "inputList": "test_a_ranking_orders_its_items_and_puts_unknown_ones_last",
    "filterValues": "test_an_exclude_without_its_values_is_not_used",
    "itemId": "test_current_item_stands_for_the_item_that_is_asked_about",
    "userId": "test_a_campaign_recommends_what_similar_users_had",
    "sessionId": "test_a_session_stands_for_a_user_who_is_not_known_yet",
    "eventList": "test_an_event_counts_at_once_in_filters_and_for_its_user",
    "trackingId": "test_an_unknown_tracker_is_refused",
    "items": "test_items_that_are_put_can_be_filtered_at_once",
    "users": "test_items_and_users_must_be_of_their_schema",
    "actions": "test_the_likeliest_action_comes_first",
    "actionInteractions": "test_the_likeliest_action_comes_first",
}
"""For each parameter that has its effect, the test that fails where it has none."""
FOUND = "test_an_arn_of_nothing_is_refused"
"""The test of every ARN in a request: what it names must be there."""
KEPT_ONLY = frozenset(
    {
        "minProvisionedTPS",
        "performIncrementalUpdate",
        "recipeProvider",
        "context",
        "campaignConfig.rankingInfluence",
        "recommenderConfig.minRecommendationRequestsPerSecond",
        "recommenderConfig.itemExplorationConfig",
        "recommenderConfig.trainingDataConfig",
        "solutionConfig.algorithmHyperParameters",
        "solutionConfig.featureTransformationParameters",
        "solutionConfig.trainingDataConfig",
        "solutionUpdateConfig.eventsConfig",
        "batchInferenceJobConfig.itemExplorationConfig",
        "batchInferenceJobConfig.rankingInfluence",
    }
)
"""What is checked, kept and described, and has no effect, or none that a test shows."""


def operations() -> Iterator[tuple[str, str]]:
    """Yield every operation of the three models, with its service."""
    for service in SERVICES:
        for name in service_model(service).operation_names:
            yield name, service


def parameters(name: str, service: str) -> Iterator[str]:
    """Yield the parameters of an operation; of some structures, their members."""
    shape = service_model(service).operation_model(name).input_shape
    for key, member in shape.members.items() if shape else ():
        if key in OPENED and isinstance(member, StructureShape):
            yield from (f"{key}.{inner}" for inner in member.members)
        else:
            yield key


def status(parameter: str) -> str:
    """Return what becomes of a parameter; what nobody wrote down is not emulated."""
    if parameter in KEPT_ONLY:
        return KEPT
    return EFFECT if parameter in PROBES or parameter.endswith("Arn") else NOT


def called() -> frozenset[str]:
    """Return the operations that the workflow calls."""
    found: set[str | None] = set()
    for spec in SPECS.values():
        found |= {spec.create, spec.describe, spec.update, spec.list_parts, *spec.switches.values()}
        found.add(spec.list if spec.listed else None)
        found.add("GetSolutionMetrics" if spec.measured else None)
    return frozenset(one for one in found if one)


def page() -> str:
    """Return the text of the page."""
    rows = list(operations())
    lines = [
        "# What of the service is covered",
        "",
        f"All {len(rows)} operations of Amazon Personalize's three models: whether the workflow "
        "calls them,",
        "and whether the emulator answers them. Then what becomes of each parameter in the "
        "emulator: it *has",
        "its effect*, which a test shows, or it is *kept only*: checked, kept and described, "
        "without an effect",
        "that a test shows. This page is made by `python -m tests.coverage`, and tests hold it "
        "to the models",
        "and to the code.",
        "",
        "| operation | workflow | emulator |",
        "|---|---|---|",
        *(f"| {name} | {'yes' if name in called() else 'no'} | yes |" for name, _ in rows),
        "",
        "## Parameters",
        "",
        "| operation | has its effect | kept only | not emulated |",
        "|---|---|---|---|",
        *(_row(name, service) for name, service in rows),
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, service: str) -> str:
    every = list(parameters(name, service))
    cells = [
        ", ".join(f"`{one}`" for one in every if status(one) == wanted)
        for wanted in (EFFECT, KEPT, NOT)
    ]
    return f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(page())
