"""What there is of a dataset group, in words that are the same for every group and every run.

Two lives that ended alike have the same answers here: the resources and what they are made of,
which model each campaign serves, tasks and schedules with what these hand over, the ledger, and
what people were told.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

from mpe.aws.tables import pages

RUN_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}")
OWN = ("created", "updated", "removed", "adopted")
"""What a run does to a resource, other than to find it as it should be."""
Facts = Mapping[str, Any]
"""What a mail tells, as its JSON has it."""


class Watched(Protocol):
    """A cloud that can be looked at."""

    outputs: Mapping[str, str]
    region: str
    account: str

    def client(self, service: str) -> Any: ...


class Resources:
    """What Amazon Personalize has of one dataset group."""

    def __init__(self, cloud: Watched, group: str) -> None:
        self._client = cloud.client("personalize")
        self._arn = f"arn:aws:personalize:{cloud.region}:{cloud.account}:dataset-group/{group}"
        self._group = group

    @cached_property
    def all(self) -> dict[str, list[dict[str, Any]]]:
        of = {"datasetGroupArn": self._arn}
        solutions = self._list("solutions", **of)
        datasets = self._list("datasets", **of)
        of_solution = [{"solutionArn": one["solutionArn"]} for one in solutions]
        of_dataset = [{"datasetArn": one["datasetArn"]} for one in datasets]
        versions = self._each("solution_versions", of_solution)
        of_version = [{"solutionVersionArn": one["solutionVersionArn"]} for one in versions]
        campaigns = self._each("campaigns", of_solution)
        return {
            "schemas": [
                one for one in self._list("schemas") if one["name"].startswith(f"{self._group}-")
            ],
            "datasets": datasets,
            "solutions": solutions,
            "versions": versions,
            "campaigns": [
                self._client.describe_campaign(campaignArn=one["campaignArn"])["campaign"]
                for one in campaigns
            ],
            "recommenders": self._list("recommenders", **of),
            "trackers": self._list("event_trackers", **of),
            "filters": self._list("filters", **of),
            "attributions": self._list("metric_attributions", **of),
            "deletions": self._list("data_deletion_jobs", **of),
            "imports": self._each("dataset_import_jobs", of_dataset),
            "exports": self._each("dataset_export_jobs", of_dataset),
            "batch jobs": self._each("batch_inference_jobs", of_version),
            "segment jobs": self._each("batch_segment_jobs", of_version),
        }

    def told(self) -> dict[str, Any]:
        found = {kind: sorted(map(_told_of, every)) for kind, every in self.all.items()}
        return {**found, "made of": self.made_of()}

    def jobs(self) -> set[str]:
        """Return the jobs that there are, as the ledger names them: by the end of their ARNs."""
        kinds = ("imports", "batch jobs", "segment jobs", "deletions")
        arns = (value for kind in kinds for one in self.all[kind] for value in one.values())
        return {str(arn).rpartition(":")[2] for arn in arns if "-job/" in str(arn)}

    def nth(self) -> dict[str, int]:
        """Return the how-manieth of its solution each version is."""
        versions = sorted(self.all["versions"], key=lambda one: str(one["creationDateTime"]))
        arns = [str(one["solutionVersionArn"]) for one in versions]
        return {one: [a for a in arns if _solution(a) == _solution(one)].index(one) for one in arns}

    def made_of(self) -> dict[str, Any]:
        """Return which model each campaign serves, and what filters and imports are made of."""
        nth, client = self.nth(), self._client
        filters = [
            client.describe_filter(filterArn=one["filterArn"]) for one in self.all["filters"]
        ]
        imports = [
            client.describe_dataset_import_job(datasetImportJobArn=one["datasetImportJobArn"])
            for one in self.all["imports"]
        ]
        return {
            "campaigns": sorted(
                (c["name"], nth.get(c["solutionVersionArn"], "a version that is gone"))
                for c in self.all["campaigns"]
            ),
            "filters": sorted(one["filter"]["filterExpression"] for one in filters),
            "imports": sorted(
                (one["dataSource"]["dataLocation"].rpartition("/train/")[2], one["importMode"])
                for one in (each["datasetImportJob"] for each in imports)
            ),
        }

    def _each(self, what: str, parents: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
        return [one for of in parents for one in self._list(what, **of)]

    def _list(self, what: str, **of: str) -> list[dict[str, Any]]:
        """Return every page of a list."""
        found: list[dict[str, Any]] = []
        page: dict[str, Any] = {}
        while not found or page.get("nextToken"):
            more = {"nextToken": page["nextToken"]} if page.get("nextToken") else {}
            page = getattr(self._client, f"list_{what}")(**of, **more)
            (items,) = [value for value in page.values() if isinstance(value, list)]
            found += items
            if not items:
                break
        return found


def _solution(version: str) -> str:
    return version.rpartition("/")[0]


def _told_of(one: dict[str, Any]) -> list[str]:
    """Return a resource's name, without the run's, its status and what else the phases change."""
    name = one.get("name") or _plain(one.get("jobName", ""))
    version = one.get("solutionVersionArn", "").split("/")[1:2] if not name else []
    config = one.get("recommenderConfig", {}).get("minRecommendationRequestsPerSecond", "")
    parts = (name, *version, one.get("status", ""), one.get("minProvisionedTPS", ""), config)
    return [_plain(str(one)) for one in parts]


def _plain(text: str) -> str:
    """Return a name without the run that it is of."""
    return re.sub(rf"-{RUN_ID.pattern}.*", "", text)


def rows(cloud: Watched, table: str, group: str, prefix: str = "") -> dict[str, dict[str, Any]]:
    """Return a group's rows of a table by their record."""
    found = pages(
        cloud.client("dynamodb").query,
        TableName=cloud.outputs[table],
        KeyConditionExpression="#g = :g",
        ExpressionAttributeNames={"#g": "group"},
        ExpressionAttributeValues={":g": {"S": group}},
        ConsistentRead=True,
    )
    plain = (_value({"M": one}) for one in found)
    return {row["record"]: row for row in plain if row["record"].startswith(prefix)}


def _value(value: dict[str, Any]) -> Any:
    """Return a value of DynamoDB without its types."""
    ((kind, found),) = value.items()
    if kind == "M":
        return {key: _value(one) for key, one in found.items()}
    return [_value(one) for one in found] if kind == "L" else found


def tables(cloud: Watched, group: str) -> dict[str, Any]:
    """Return what the tables of turns and tasks say, and the schedules."""
    turns, tasks = rows(cloud, "TurnsTable", group), rows(cloud, "TasksTable", group)
    return {
        "lease": [key for key in turns if key == "LEASE"],
        "line": [key for key in turns if key.startswith("LINE#")],
        "running": [key for key, row in turns.items() if row.get("status") == "RUNNING"],
        "tasks": {
            key: (row["expression"], row.get("disabled"), row.get("last", {}).get("status"))
            for key, row in tasks.items()
        },
        "schedules": _schedules(cloud, group, [row["schedule"] for row in tasks.values()]),
    }


def _schedules(cloud: Watched, group: str, known: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the schedules that the table knows, and those that it does not."""
    scheduler, of = cloud.client("scheduler"), cloud.outputs["ScheduleGroup"]
    listed = scheduler.list_schedules(GroupName=of, NamePrefix=f"{group}-")["Schedules"]
    there = {one["Name"] for one in listed}
    names = sorted({*known, *there})
    found = [scheduler.get_schedule(GroupName=of, Name=name) for name in names if name in there]
    gone = [("is not there", name) for name in names if name not in there]
    return sorted(
        [
            *gone,
            *(
                (
                    re.sub(r"[0-9a-f]{8,}$", "", one["Name"]),
                    one["State"],
                    one["ScheduleExpression"],
                    one.get("ScheduleExpressionTimezone", ""),
                    one["Target"].get("Input", ""),
                )
                for one in found
            ),
        ]
    )


def ledger(found: Mapping[str, Mapping[str, Any]], nth: Mapping[str, int]) -> dict[str, Any]:
    """Return what the ledger's rows of a group say, without runs, times and durations.

    Of what each run did to a resource only what changed it counts, whichever run that was: one that
    failed and the next one together do what one does that succeeds. What only concerns a run that
    is under way (what it asked for and waits for, what was told of it) is left out, and what the
    data of an import is like that came to nothing, since nothing is compared with it.
    """
    told: dict[str, Any] = {"did": _did(found), "failing": _failing(found)}
    of_kind: dict[str, list[Any]] = defaultdict(list)
    for record, row in sorted(found.items(), key=lambda one: (str(one[1].get("at")), one[0])):
        kind, _, rest = record.partition("#")
        if kind in LINES and not (kind == "PROFILE" and not row.get("imported")):
            of_kind[kind].append(LINES[kind](rest, row, nth))
    of_kind["MOVE"] = _moves(of_kind["MOVE"])
    return told | {
        kind: lines if kind == "MOVE" else sorted(lines) for kind, lines in of_kind.items()
    }


def _moves(lines: list[Any]) -> list[Any]:
    """Return the moves of each campaign in their order, one that was noted twice once."""
    sorted_ = sorted(lines, key=lambda line: str(line[0]))
    return [one for one, _ in itertools.groupby(sorted_)]


def _did(found: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return what runs did to each resource, once for each run that did it."""
    did: dict[str, list[str]] = defaultdict(list)
    for record, row in found.items():
        if record.startswith("RUN#") and row.get("did") in OWN and not row.get("failed"):
            did[row["resource"]].append(row["did"])
    return {resource: sorted(every) for resource, every in sorted(did.items())}


def _failing(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the resources at which the last run that came to them failed."""
    last: dict[str, Mapping[str, Any]] = {}
    for record, row in sorted(found.items(), key=lambda one: (str(one[1].get("at")), one[0])):
        if record.startswith("RUN#"):
            last[row["resource"]] = row
    return sorted(resource for resource, row in last.items() if row.get("failed"))


def _version(arn: str, nth: Mapping[str, int]) -> str:
    """Return a version by its solution and which of that it is."""
    return f"{arn.split('/')[-2]} {nth.get(arn, 'that is gone')}"


def _of_pointer(rest: str, row: Mapping[str, Any], nth: Mapping[str, int]) -> list[str]:
    return [row["campaign"], _version(row["version"], nth), row["by"]]


def _of_verdict(rest: str, row: Mapping[str, Any], nth: Mapping[str, int]) -> list[str]:
    return [row["campaign"], _version(row["version"], nth), row["word"], row["mode"]]


def _of_version(rest: str, row: Mapping[str, Any], nth: Mapping[str, int]) -> list[str]:
    return [_version(row["arn"], nth), ", ".join(sorted(row.get("metrics", ())))]


def _of_made(rest: str, row: Mapping[str, Any], nth: Mapping[str, int]) -> list[str]:
    return [row["noun"], row["name"]]


def _of_data(rest: str, row: Mapping[str, Any], nth: Mapping[str, int]) -> list[str]:
    return [rest, row["word"], _plain(row["data"].rpartition("/")[2])]


def _of_profile(rest: str, row: Mapping[str, Any], nth: Mapping[str, int]) -> list[str]:
    return [rest.partition("#")[0], str(bool(row.get("imported"))), str(len(row["profile"]))]


def _of_job(rest: str, row: Mapping[str, Any], nth: Mapping[str, int]) -> list[str]:
    return [_plain(rest), str(len(row["objects"]))]


def _of_duration(rest: str, row: Mapping[str, Any], nth: Mapping[str, int]) -> list[str]:
    return [rest]


LINES = {
    "POINTER": _of_pointer,
    "MOVE": _of_pointer,
    "JUDGED": _of_verdict,
    "VERSION": _of_version,
    "MADE": _of_made,
    "DATA": _of_data,
    "PROFILE": _of_profile,
    "SEEN": _of_job,
    "DURATION": _of_duration,
}
"""What the rows of each kind say."""


def mails(told: Sequence[Facts], runs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what people were told of a group's runs, and of which what they were told is untrue.

    ``runs`` are the rows of its runs by their ids. A run's mail must tell how it ended; what runs
    changed is told by one of the mails, whichever.
    """
    changes = {  # of a run whose mail comes twice only once
        (mail["Run"], one["Did"], one["Resource"], one["Name"])
        for mail in told
        for one in mail.get("Changes", ())
        if one["Did"] in OWN
    }
    return {
        "changes": sorted(list(one[1:]) for one in changes),
        "untrue": sorted(_untrue(_statuses(told), runs)),
    }


def _statuses(told: Sequence[Facts]) -> Mapping[str, set[str]]:
    """Return what each run was told to have come to."""
    statuses: dict[str, set[str]] = defaultdict(set)
    for mail in told:
        if mail.get("Run"):
            statuses[mail["Run"]].add(mail.get("Status", "WAITS"))
    return statuses


def _by_id(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {record.removeprefix("RUN#"): row for record, row in rows.items()}


def _untrue(
    statuses: Mapping[str, set[str]], runs: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    for run, row in runs.items():
        ended = row.get("status")
        if ended not in {"RUNNING", "LOST", None} and ended not in statuses.get(run, set()):
            yield f"a run is {ended} and told as {sorted(statuses.get(run, ())) or 'nothing'}"


def untold(cloud: Watched, group: str, told: Sequence[Facts]) -> list[str]:
    """Return of which runs of a group nobody was told yet how they ended."""
    runs = rows(cloud, "TurnsTable", group, "RUN#")
    return sorted(_untrue(_statuses(told), _by_id(runs)))


def snapshot(cloud: Watched, group: str, told: Sequence[Facts]) -> dict[str, Any]:
    """Return all there is of a group, in words that are the same for every group.

    What a job was to be made of that was refused concerns nobody: no job is compared with it.
    """
    resources = Resources(cloud, group)
    turns = rows(cloud, "TurnsTable", group, "RUN#")
    jobs = {f"SEEN#{job}" for job in resources.jobs()}
    kept = rows(cloud, "LedgerTable", group)
    kept = {key: row for key, row in kept.items() if not key.startswith("SEEN#") or key in jobs}
    found = {
        **resources.told(),
        **tables(cloud, group),
        "ledger": ledger(kept, resources.nth()),
        "mails": mails(told, _by_id(turns)),
    }
    text = json.dumps(found, default=str).replace(group, "GROUP")
    said: dict[str, Any] = json.loads(text)
    return said


def differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return what differs, by its path: what is there, and what should be."""
    told: dict[str, Any] = {}
    for key in sorted({*found, *wanted}):
        is_, should = found.get(key), wanted.get(key)
        if is_ == should:
            continue
        if isinstance(is_, dict) and isinstance(should, dict):
            told |= {f"{key}.{one}": what for one, what in differences(is_, should).items()}
        elif isinstance(is_, list) and isinstance(should, list):
            more = [one for one in is_ if one not in should]
            less = [one for one in should if one not in is_]
            counts = (len(is_), len(should))
            told[key] = {"too much": more, "missing": less} if more or less else {"count": counts}
        else:
            told[key] = {"is": is_, "should be": should}
    return told


NEED_NOT = ("ledger.DURATION", "ledger.did", "mails.changes")
UNWRITTEN = (*NEED_NOT, "ledger.MADE")


def found_done(path: str, difference: Mapping[str, Any], *, unwritten: bool = False) -> bool:
    """Tell whether only the note is missing that a run has done something, and nothing is more.

    With ``unwritten`` nobody could note it, nor that this stack has made it: it stays where
    ``onRemoval`` would have it removed, and a mail says so with the command.
    """
    if not path.startswith(UNWRITTEN if unwritten else NEED_NOT):
        return False
    if "count" in difference:
        return bool(difference["count"][0] < difference["count"][1])
    return not difference.get("too much") and not difference.get("is")
