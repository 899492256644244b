"""What a run would do: every resource observed and decided on, nothing changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from mpe.aws.clock import Clock
from mpe.aws.freshness import Freshness, Memory
from mpe.aws.objects import Completed, Objects
from mpe.aws.personalize import Missing, Personalize, ServiceError
from mpe.model.plan.desired import Desired, DesiredState, value_at
from mpe.model.plan.owner import told_template
from mpe.model.plan.quotas import DEFAULTS, OF_ACCOUNT, beyond
from mpe.model.plan.reconcile import DRIFT, Action, Create, Observed, Reject, Skip, Update, decide
from mpe.model.plan.tasks import Task, ids_of
from mpe.model.service import avro
from mpe.model.service.spec import FAILED, SPECS

NO_NEW_ITEMS = (
    "it gets no new items: the service brings them, every two hours, into the newest version alone."
)
UPDATED = (
    "it gets no new items by itself: it serves a version of an UPDATE training, which ends that "
    "until one of a FULL training is served."
)
"""Of a campaign (https://docs.aws.amazon.com/personalize/latest/dg/API_CreateSolutionVersion.html)."""
UNKNOWN = "(the new solution version)"
"""Stands for an ARN that only the run will know."""


@dataclass(frozen=True)
class Newest:
    """The newest version of a solution, and how it was trained."""

    arn: str = UNKNOWN
    mode: str | None = None


NEW = Newest()
"""Stands for one of which nothing is known, not even that it will be trained."""


@dataclass(frozen=True)
class Step:
    """One resource, and what a run would do about it."""

    desired: Desired
    action: Action
    observed: Observed | None = None
    note: str = ""
    """What else is to be known of it."""
    unread: str = ""
    """Where nothing lies of what it would read."""
    held: str = ""
    """Why it does not get the newest version, where a gate holds that."""


def survey(
    state: DesiredState,
    personalize: Personalize,
    objects: Objects,
    memory: Memory,
    clock: Clock,
) -> Iterator[Step]:
    """Decide on every resource as a run would, in its order.

    What would be listed by something that is yet to be created is not looked for. A campaign or a
    batch job follows its solution's version: where there is none yet, or a new one would be
    trained, its ARN is :data:`UNKNOWN`.
    """
    versions: dict[str | None, Newest] = {}
    absent: set[str | None] = set()
    imported: set[str] = set()
    freshness = Freshness(personalize, memory, clock)
    counts = Counts(personalize, str(state.resources["datasetGroup"].arn))
    for resource in state.resources.values():
        held = ""
        if resource.given:
            newest = versions.get(resource.parent, NEW).arn
            arn, held = _pointed(state.group, resource, newest, memory)
            resource = replace(resource, params={**resource.params, "solutionVersionArn": arn})
        completed = objects.completed(resource)
        desired = completed.desired
        observed = None if _in_absent(desired, absent) else personalize.observe(desired)
        fresh_since = freshness.since(state.group, completed, observed)
        if imported.intersection(desired.after):
            fresh_since = clock.now()
        action = decide(
            desired, observed, fresh_since=fresh_since, idle=completed.idle, lagging=True
        )
        if isinstance(action, Create) and desired.arn:
            absent.add(desired.arn)
        if isinstance(action, Create) and desired.noun == "DatasetImportJob":
            imported.add(desired.params["datasetArn"])
        if desired.noun == "SolutionVersion":
            versions[desired.parent] = _newest(observed, action)
        unread = _unread(completed) if isinstance(action, Create | Skip) else ""
        step = _of_schema(
            Step(desired, action, observed, unread=unread, held=held), state, personalize
        )
        step = _of_new_items(step, state, versions)
        yield counts.noted(step) if isinstance(action, Create) else _seen(step, personalize)


@dataclass(frozen=True)
class Counts:
    """How many there are of each type that has a quota, and how many would be made."""

    personalize: Personalize
    group: str
    there: dict[str, int] = field(default_factory=dict)
    made: Counter[str] = field(default_factory=Counter)

    def noted(self, step: Step) -> Step:
        """Note at a creation that it is beyond the quota, as far as that is known."""
        noun = step.desired.noun
        if noun not in DEFAULTS:
            return step
        self.made[noun] += 1
        told = beyond(noun, self._there(noun), self.made[noun])
        return replace(step, note=" ".join(filter(None, (step.note, told))))

    def _there(self, noun: str) -> int:
        if noun not in self.there:
            of = {} if noun in OF_ACCOUNT else {"datasetGroupArn": self.group}
            self.there[noun] = sum(1 for _ in self._listed(noun, of))
        return self.there[noun]

    def _listed(self, noun: str, of: Mapping[str, str]) -> Iterator[object]:
        """Yield those that are not failed; of a dataset group that is not there, none."""
        try:
            for one in self.personalize.listed(SPECS[noun], of):
                if one.get("status") not in FAILED:
                    yield one
        except Missing:
            return


def _pointed(group: str, desired: Desired, newest: str, memory: Memory) -> tuple[str, str]:
    """Return the version that a resource is to have, and why it is not the newest if it is not."""
    pointer = memory.pointer(group, desired.pointer) if desired.pointer else None
    if pointer is None or not pointer.version or newest not in {pointer.held, pointer.version}:
        return newest, ""
    return pointer.version, pointer.reason if pointer.held == newest else ""


def _unread(completed: Completed) -> str:
    """Return where something would be read, and nothing lies."""
    desired = completed.desired
    if desired.data is None or completed.changed:
        return ""
    return value_at(desired.params, desired.spec.reads)


def foresee(
    state: DesiredState, personalize: Personalize, task: Task | None = None, *, stack: str = ""
) -> Iterator[Step]:
    """Yield what a run, of the whole config or of a task, would fail for, before it begins.

    The rules are those of :func:`survey`: what is refused there is refused here. Jobs and versions
    are not looked at, since each run may make its own. A state of an older release does not name
    the ``stack`` that maintains the dataset group.
    """
    work = frozenset(ids_of(task.work)) if task else frozenset(state.resources)
    absent: set[str | None] = set()
    for desired in state.resources.values():
        if desired.id not in work or desired.spec.repeatable:
            continue
        if stack and desired.spec.marked:
            desired = desired.owned_by(stack)
        observed = None if _in_absent(desired, absent) else personalize.observe(desired)
        there = observed is not None  # what a run looks at again later is not refused before it
        action = decide(desired, observed, existing=task is not None, lagging=there)
        if isinstance(action, Create) and desired.arn:
            absent.add(desired.arn)
        step = _of_schema(Step(desired, action, observed), state, personalize)
        if isinstance(step.action, Reject):
            yield step


def _of_schema(step: Step, state: DesiredState, personalize: Personalize) -> Step:
    """Refuse a new schema that the service would, field by field, before one is made for it."""
    if step.desired.noun != "Dataset" or not isinstance(step.action, Update) or not step.observed:
        return step
    kind = step.desired.id.partition(".")[2]
    wanted = state.resources[f"schema.{kind}"]
    old = personalize.described(SPECS["Schema"], str(step.observed.fields["schemaArn"]))["schema"]
    new = str(wanted.params["schema"])
    refused = avro.changes_refused(old, new, kind)
    if refused:
        told = f"{'; '.join(refused)}. Amazon Personalize would refuse it, so nothing is made."
        return replace(step, action=Reject(DRIFT, told))
    added = avro.columns_added(old, new)
    trained = any(one.noun in {"Solution", "Recommender"} for one in state.resources.values())
    if not added or not trained:
        return step
    told = f"solutions and recommenders that exist do not train on {', '.join(added)}."
    return replace(step, note=told)


def _of_new_items(step: Step, state: DesiredState, versions: Mapping[str | None, Newest]) -> Step:
    """Note of a campaign that it gets no new items: behind the newest version, or at an update.

    https://docs.aws.amazon.com/personalize/latest/dg/how-new-data-influences-recommendations.html
    """
    desired, observed = step.desired, step.observed
    if desired.noun != "Campaign" or observed is None:
        return step
    trained = (one for one in state.resources.values() if one.noun == "SolutionVersion")
    refreshed = {one.parent for one in trained if one.gate.get("refreshed")}
    served, newest = observed.fields.get("solutionVersionArn"), versions.get(desired.parent, NEW)
    stays = step.held or (not desired.given and desired.params.get("solutionVersionArn") == served)
    if desired.parent not in refreshed:
        return step
    if newest.arn == served:
        told = UPDATED if newest.mode == "UPDATE" else ""
    else:
        told = NO_NEW_ITEMS if stays and newest is not NEW else ""
    return replace(step, note=" ".join(filter(None, (step.note, told))))


def _seen(step: Step, personalize: Personalize) -> Step:
    """Note what is to be known of what exists: of a campaign whether a template has it as well."""
    if step.desired.noun != "Campaign" or step.observed is None:
        return _of_key(step)
    try:
        tags = personalize.tags(step.observed.arn)
    except ServiceError:  # who may not see tags plans all the same
        return step
    told = told_template("Campaign", step.desired.name, tags)
    return replace(step, note=" ".join(filter(None, (step.note, told))))


def _of_key(step: Step) -> Step:
    """Note a dataset group that exists and has not the key that the stack has for new ones."""
    key = step.desired.initial.get("kmsKeyArn")
    if not key or not step.observed or step.observed.fields.get("kmsKeyArn") == key:
        return step
    told = (
        f"it is not encrypted with the stack's key {key}: a dataset group keeps what it was made "
        "with."
    )
    return replace(step, note=" ".join(filter(None, (step.note, told))))


def _in_absent(desired: Desired, absent: set[str | None]) -> bool:
    """Tell whether what it is listed by is not there yet; a name may be taken nevertheless."""
    if not desired.spec.listed:
        return False
    return desired.parent in absent or desired.params.get(str(desired.spec.listed_by)) == UNKNOWN


def _newest(observed: Observed | None, action: Action) -> Newest:
    if observed is None or isinstance(action, Create):
        return Newest()
    return Newest(observed.arn, observed.fields.get("trainingMode"))
