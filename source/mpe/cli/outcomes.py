"""What came of a run: what ``mpe watch`` ends with, and ``mpe runs show`` tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from mpe.cli.account import Account
from mpe.cli.terminal import say
from mpe.model.errors import reason_lines
from mpe.model.messages import spoken, spoken_task
from mpe.model.plan.removals import REMOVED
from mpe.model.remedies import Where
from mpe.model.remedies import remedy as told_remedy
from mpe.model.service.recipes import (
    PERSONALIZED_ACTIONS,
    PERSONALIZED_RANKING,
    RECIPES,
    RELATED_ITEMS,
)
from mpe.model.service.spec import SPECS

SERVING = {"Campaign": "campaign", "Recommender": "recommender"}
"""What answers requests, with its key in the service's descriptions."""
QUESTIONS = {
    PERSONALIZED_RANKING: "get-personalized-ranking {arn} --user-id USER --input-list ITEM ITEM",
    PERSONALIZED_ACTIONS: "get-action-recommendations {arn} --user-id USER",
    RELATED_ITEMS: "get-recommendations {arn} --item-id ITEM",
}
"""How the AWS CLI asks a model, by its recipe's type; all others are asked for a user.

https://docs.aws.amazon.com/cli/latest/reference/personalize-runtime/
"""
OF_A_USER = "get-recommendations {arn} --user-id USER"


def told_run(account: Account, group: str, run: str) -> dict[str, Any]:
    """Return what is known of a run, and what it did to each resource."""
    row = account.turns.recorded(group, run) or {}
    found = sorted(account.ledger.outcomes(group, run), key=_built_order)
    where = Where(
        group,
        account.output("DataBucket"),
        config=str((row.get("config") or {}).get("key", "")),
        run=run,
        task=str(row.get("task", "")),
    )
    resources = [_resource(one, where) for one in found]
    return {
        "group": group,
        "run": run,
        "what": spoken_task(row["task"]) if "task" in row else "config",
        "status": row.get("status"),
        **{key: row.get(key) for key in ("started", "ended", "duration", "execution", "config")},
        **{key: row.get(key) for key in ("changed", "kept", "failed")},
        "resources": resources,
        "ask": _question(account, resources),
    }


def _built_order(outcome: Mapping[str, Any]) -> int:
    nouns = list(SPECS)  # tasks, and what only a newer release knows, come last
    return nouns.index(outcome["noun"]) if outcome["noun"] in SPECS else len(nouns)


def _resource(one: Mapping[str, Any], where: Where) -> dict[str, Any]:
    told = {"resource": one["noun"], "name": one["name"], "did": one.get("did")}
    told |= {key: one[key] for key in ("arn", "seconds", "at", "told") if one.get(key)}
    if failed := one.get("failed"):
        known = Where.of_outcome(where, one)
        remedy = told_remedy(one["noun"], failed["error"], failed["reason"], known)
        told |= {"error": failed["error"], "reason": failed["reason"]}
        told |= {"remedy": remedy, "path": one["path"]}
    return told


def print_run(told: Mapping[str, Any]) -> None:
    """Print the outcome of a run, what it did, and how what it serves is asked."""
    for one in told["resources"]:
        for line, style in _lines(one):
            say(line, style=style)
    if told["status"] in {None, "RUNNING", "LOST"}:
        ended = "is not known yet" if told["status"] == "RUNNING" else "was never reported"
        say(f"The end of the run {ended}.")
        return
    for line in _asked(told):
        say(line)
    verdict = "succeeded" if told["status"] == "SUCCEEDED" else "FAILED"
    say(
        f"The run {verdict} in {spoken(float(told['duration']))}: {told['changed']} changed, "
        f"{told['kept']} kept, {told['failed']} failed.",
        style="green" if verdict == "succeeded" else "red",
    )


def _lines(one: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    what = f"{one['resource']} {one['name']}"
    if "error" in one:
        head, *more = reason_lines(one["error"], one["reason"])
        yield f"! {what}: {head}", "red"
        yield from ((f"    {line}", "red") for line in more)
        yield f"    in the config: {one['path']}", None
        if one["remedy"]:
            yield f"    {one['remedy']}", None
    elif one["did"] not in {None, "kept", "skipped"}:
        took = f" in {spoken(float(one['seconds']))}" if "seconds" in one else ""
        details = f": {one['told']}" if one.get("told") else ""
        yield f"{one['did']} {what}{details}{took}", None


def _answers(one: Mapping[str, Any]) -> bool:
    """Tell whether a resource of a run answers requests after it."""
    return one["resource"] in SERVING and "arn" in one and one["did"] != REMOVED


def _asked(told: Mapping[str, Any]) -> Iterator[str]:
    """Yield the ARN of what answers requests, and a line that asks it."""
    for one in told["resources"]:
        if _answers(one):
            yield f"{one['resource']} {one['name']}: {one['arn']}"
    if told.get("ask"):
        yield f"Ask it: {told['ask']}"


def _question(account: Account, resources: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the line of the AWS CLI that asks the first of what a run has made to answer."""
    one = next(filter(_answers, resources), None)
    if one is None:
        return None
    try:
        recipe = _recipe(account.client("personalize"), one["resource"], one["arn"])
    except ClientError:  # it is gone by now, or is not to be seen
        return None
    known = RECIPES.get(recipe)
    form = QUESTIONS.get(known.type, OF_A_USER) if known else OF_A_USER
    option = f"--{SERVING[one['resource']]}-arn {one['arn']}"
    where = f" --endpoint-url {account.endpoint}" if account.endpoint else ""
    return f"aws personalize-runtime {form.format(arn=option)}{where}"


def _recipe(client: Any, noun: str, arn: str) -> str:
    if noun == "Recommender":
        return str(client.describe_recommender(recommenderArn=arn)["recommender"]["recipeArn"])
    version = client.describe_campaign(campaignArn=arn)["campaign"]["solutionVersionArn"]
    found = client.describe_solution_version(solutionVersionArn=version)["solutionVersion"]
    return str(found["recipeArn"])
