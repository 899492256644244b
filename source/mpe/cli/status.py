"""``mpe status``: how things are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import click
from botocore.exceptions import ClientError

from mpe.aws.inventory import Inventories
from mpe.aws.objects import Objects, state_of
from mpe.aws.personalize import Personalize
from mpe.aws.survey import NO_NEW_ITEMS, UPDATED, Step, survey
from mpe.aws.tasks import Tasks
from mpe.cli import known
from mpe.cli.account import OUTPUT, Account, in_account, show
from mpe.cli.runs import unknown
from mpe.model.gate.versions import Version, in_short
from mpe.model.messages import spoken_task
from mpe.model.plan.health import WORSE_THAN_WELL, Health, Sign, told, worst
from mpe.model.plan.reconcile import Create, Reject, Update
from mpe.model.plan.removals import BILLED
from mpe.model.service.spec import SPECS

UNWELL = 2
"""The exit code that ``--exit-code`` gives where somebody should look."""


@click.command()
@click.argument("group", required=False)
@click.option("--exit-code", is_flag=True, help="Exit with 2 where a dataset group is not well.")
@in_account
@OUTPUT
def status(group: str | None, exit_code: bool, account: Account, output: str) -> None:
    """Show how every dataset group is, in one line each, or each resource of one group.

    A line has the worst of what is known: FAILED (the run of its config, or a task's last run),
    REJECTED (an upload that was not accepted), ORPHANS (resources that are not in the config),
    DISABLED (a task), DIFFERS (from the config), RUNNING or OK. A group that was removed and is
    there again is listed as well. Exit code 1 for a group of which nothing is there.

    Example: mpe status movielens
    """
    look = Look(account)
    known.note_groups(account.stack, look.newest)
    if group is None:
        rows = [look.line(name) for name in look.groups]
        show(rows, output, {"group": "GROUP", "health": "HEALTH", "run": "LAST RUN", "why": "WHY"})
        if exit_code and any(Health[row["health"]] >= WORSE_THAN_WELL for row in rows):
            raise click.exceptions.Exit(UNWELL)
        return
    if not look.knows(group):
        raise unknown(group, look.newest)
    columns = {
        "resource": "RESOURCE",
        "name": "NAME",
        "status": "STATUS",
        "model": "MODEL",
        "differs": "DIFFERS",
    }
    rows = list(look.resources(group))
    if not rows:
        raise click.ClickException(look.nothing(group))
    show(rows, output, columns)
    if exit_code and Health[look.line(group)["health"]] >= WORSE_THAN_WELL:
        raise click.exceptions.Exit(UNWELL)


@dataclass(frozen=True)
class Look:
    """A look at all dataset groups of a stack."""

    account: Account

    @cached_property
    def newest(self) -> dict[str, Mapping[str, Any]]:
        """The newest config of every dataset group."""
        return {str(row["group"]): row for row in self.account.turns.newest()}

    @cached_property
    def groups(self) -> list[str]:
        """All that have a config, and those that have or had runs and are there."""
        known = self.newest.keys() | self.rejected.keys() | self.tasks.keys()
        ran = self.account.turns.groups()
        return sorted(known | (self._inventories.groups().keys() & ran))

    def knows(self, group: str) -> bool:
        """Tell whether a dataset group has a config, an upload that was rejected, or runs."""
        ran = next(self.account.turns.runs(group), None) is not None
        return group in self.newest or group in self.rejected or ran

    def nothing(self, group: str) -> str:
        """Say of a dataset group that is known that nothing of it is there, and why if that is."""
        why = told(list(self._signs(group))) or "it was removed, or its config is gone"
        return f"nothing of {group!r} is there: {why}. What was done: `mpe runs {group}`."

    @cached_property
    def rejected(self) -> dict[str, Mapping[str, Any]]:
        """The newest upload of each dataset group, where it was rejected."""
        owners = {folder: group for group, folder in self.account.turns.folders().items()}
        found: dict[str, Mapping[str, Any]] = {}
        for row in self.account.turns.rejected():
            group = owners.get(f"{row['key'].rpartition('/')[0]}/", str(row["group"]))
            if row["sequencer"] > self.newest.get(group, {}).get("sequencer", ""):
                found[group] = row
        return found

    @cached_property
    def tasks(self) -> dict[str, list[Mapping[str, Any]]]:
        found: dict[str, list[Mapping[str, Any]]] = {}
        for row in Tasks(self.account.table("TasksTable")).all():
            found.setdefault(str(row["group"]), []).append(row)
        return found

    def line(self, group: str) -> dict[str, Any]:
        """Return what is known of a dataset group in one line."""
        signs = list(self._signs(group))
        last: Mapping[str, Any] = next(self.account.turns.runs(group), {})
        return {
            "group": group,
            "health": worst(signs).name,
            "run": last.get("run"),
            "status": last.get("status"),
            "ended": last.get("ended"),
            "why": told(signs),
        }

    def _signs(self, group: str) -> Iterator[Sign]:
        yield from self._of_config(group)
        if rejected := self.rejected.get(group):
            total = f"{rejected['total']} problem{'s' if rejected['total'] != 1 else ''}"
            told = f"the config of {rejected['at']} was rejected: {total}"
            yield Sign(Health.REJECTED, told)
        for task in self.tasks.get(group, ()):
            yield from _of_task(task)
        steps = self.steps(group)
        differing = [one for one in steps if _differs(one) is not None]
        if differing:
            names = ", ".join(f"{one.desired.noun} {one.desired.name}" for one in differing[:3])
            more = f" and {len(differing) - 3} more" if len(differing) > 3 else ""
            yield Sign(Health.DIFFERS, f"not as the config says: {names}{more}")
        orphans = self.orphans(group, steps)
        if orphans:
            names = ", ".join(f"{noun} {name}" for noun, name, _ in orphans[:3])
            more = f" and {len(orphans) - 3} more" if len(orphans) > 3 else ""
            billed = ", still billed" if any(one[0] in BILLED for one in orphans) else ""
            yield Sign(Health.ORPHANS, f"not in the config{billed}: {names}{more}")

    def _of_config(self, group: str) -> Iterator[Sign]:
        """Yield how the run of the newest config went, which later runs of tasks do not hide."""
        newest = self.newest.get(group)
        if newest is None:
            return
        run = str(newest["run"])
        state = str((self.account.turns.recorded(group, run) or {}).get("status", "RUNNING"))
        if state in {"FAILED", "LOST"}:
            yield Sign(Health.FAILED, f"the run of the config {run} is {state}")
        elif state == "RUNNING":
            yield Sign(Health.RUNNING, f"the run {run} works, or waits for its turn")

    def steps(self, group: str) -> list[Step]:
        """Return what a run of the newest config would do; nothing where that is not kept."""
        if group not in self.newest:
            return []
        objects, account = Objects(self.account.client("s3")), self.account
        pointer = state_of(account.output("DataBucket"), group, str(self.newest[group]["run"]))
        try:
            state = objects.load_state(pointer)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            return []
        return list(survey(state, self._personalize, objects, account.ledger, account.clock))

    def orphans(self, group: str, steps: list[Step]) -> list[tuple[str, str, str]]:
        """Return what a group has and its config has not: noun, name and ARN of each."""
        arn = self._inventories.groups().get(group)
        if arn is None:
            return []
        ours = {(one.desired.noun, one.desired.name) for one in steps}
        return [
            (one.noun, one.name, one.arn)
            for one in self._inventories.of(arn).found
            if one.noun in LASTING and (one.noun, one.name) not in ours
        ]

    def resources(self, group: str) -> Iterator[dict[str, Any]]:
        """Yield each resource of the newest config, and what is there beside it."""
        steps = self.steps(group)
        for step in steps:
            yield {
                "resource": step.desired.noun,
                "name": step.desired.name,
                "status": step.observed.shown if step.observed else None,
                "arn": step.observed.arn if step.observed else None,
                "model": self._quality(group, step),
                "differs": _differs(step) or stays(step),
            }
        for noun, name, arn in self.orphans(group, steps):
            differs = "not in the config" + (", still billed" if noun in BILLED else "")
            yield {"resource": noun, "name": name, "arn": arn, "differs": differs}

    def _quality(self, group: str, step: Step) -> str | None:
        """Say which version something is or serves, and how good it is, where that is known."""
        if step.observed is None:
            return None
        if step.desired.noun == "Recommender":
            return in_short(step.observed.fields.get("modelMetrics") or {}) or None
        if step.desired.noun not in {"SolutionVersion", "Campaign"}:
            return None
        serves = step.desired.noun == "Campaign"
        arn = step.observed.fields.get("solutionVersionArn") if serves else step.observed.arn
        if not arn:
            return None
        version = self.account.ledger.weighed(group, str(arn)) or Version(str(arn))
        return f"{version.id} {in_short(version.metrics)}".rstrip()

    @cached_property
    def _personalize(self) -> Personalize:
        return Personalize(self.account.client("personalize"))

    @cached_property
    def _inventories(self) -> Inventories:
        return Inventories(self._personalize)


LASTING = frozenset(
    noun for noun, spec in SPECS.items() if not spec.repeatable and noun != "Schema"
)
"""What a config names for good; versions and jobs come and go with runs."""


def _of_task(task: Mapping[str, Any]) -> Iterator[Sign]:
    what, last = spoken_task(str(task["record"])), task.get("last", {})
    if last.get("status") == "FAILED":
        yield Sign(Health.FAILED, f"the {what} failed last (`mpe runs show {last.get('run')}`)")
    if "disabled" in task:
        yield Sign(Health.DISABLED, f"the {what} is disabled by {task['disabled']}")


def _differs(step: Step) -> str | None:
    match step.action:
        case Create(why):
            return {"absent": "is not there"}.get(why, f"is {why}")
        case Update(_, changes):
            return ", ".join(change.field for change in changes)
        case Reject(_, message):
            return message
    return None


def stays(step: Step) -> str | None:
    """Say why a campaign that is as it should be is not at the newest version, or gets no items."""
    held = f"held: {step.held}" if step.held else ""
    traps = (told for told in (NO_NEW_ITEMS, UPDATED) if told in step.note)
    return " ".join(filter(None, (held, *traps))) or None
