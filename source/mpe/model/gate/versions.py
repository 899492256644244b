"""The numbers of a solution's version, and how they are told beside another's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

HEADLINES = (
    "normalized_discounted_cumulative_gain_at_10",
    "recall_at_1_percent",
    "coverage",
)
"""The metric that stands for a version where there is room for one: the first that it has."""
_SHORT = (
    ("normalized_discounted_cumulative_gain", "NDCG"),
    ("mean_reciprocal_rank", "MRR"),
)


@dataclass(frozen=True)
class Version:
    """What training told of one version of a solution."""

    arn: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    """As GetSolutionMetrics names them; none where the service did not tell."""
    mode: str = "FULL"
    """The service's ``trainingMode``."""
    hours: float | None = None
    """The service's ``trainingHours``."""
    created: str | None = None
    setup: str | None = None
    """A digest of the settings that it was trained with: those of another are not comparable."""
    run: str | None = None
    """The run that trained it, or None where the service or somebody else did."""
    rows: int | None = None
    """Interactions of the last FULL import before it, or None where nobody counted them."""
    users: int | None = None
    """How many users these are of."""
    tested: int | None = None
    """How many of them have two interactions or more, as it takes to test a model on one."""

    @property
    def solution(self) -> str:
        """The solution's name, from ``.../solution/<name>/<id>``."""
        return self.arn.split("/")[-2]

    @property
    def id(self) -> str:
        return self.arn.rpartition("/")[2]

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Version:
        """Read back what :meth:`as_dict` wrote, and pass over what is kept beside it."""
        known = {name: saved[name] for name in cls.__dataclass_fields__ if name in saved}
        return cls(**known)

    def as_dict(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if value is not None}


def headline(metrics: Mapping[str, float]) -> str | None:
    """Return the name of the metric that stands for all, or None where there is none."""
    return next((name for name in HEADLINES if name in metrics), None)


def short(metric: str) -> str:
    """Return a metric's name as papers have it: ``NDCG@10``."""
    for long, brief in _SHORT:
        metric = metric.replace(long, brief)
    return metric.replace("_at_1_percent", "@1%").replace("_at_", "@")


def share_of_change(new: float, old: float | None) -> float | None:
    """Return by which share a metric changed, or None where that cannot be said."""
    return None if not old else new / old - 1


def spoken_change(share: float | None) -> str:
    """Say a change: ``+3.1 %``."""
    return "" if share is None else f"{share:+.1%}".replace("%", " %")


def in_short(metrics: Mapping[str, float], before: Mapping[str, float] | None = None) -> str:
    """Say how good a version is in few words: ``NDCG@10 0.113 (-5.8 %)``."""
    name = headline(metrics)
    if name is None:
        return ""
    told = f"{short(name)} {metrics[name]:.4g}"
    moved = spoken_change(share_of_change(metrics[name], (before or {}).get(name)))
    return f"{told} ({moved})" if moved else told


def trained(
    outcomes: Sequence[Mapping[str, Any]],
    known: Mapping[str, Version],
    verdicts: Mapping[str, Sequence[Mapping[str, Any]]],
) -> Iterator[dict[str, Any]]:
    """Yield each version that a run trained, beside what its campaigns served before.

    ``known`` are the numbers of versions by their ARN, and ``verdicts`` what was thought of them
    for each campaign; the form is that of the run's event.
    """
    for one in outcomes:
        new = one.get("did") in {"created", "adopted"} and not one.get("failed")
        if one["noun"] != "SolutionVersion" or not new or not one.get("arn"):
            continue
        arn = str(one["arn"])
        version = known.get(arn, Version(arn))
        yield {
            "Solution": one["name"],
            "Version": arn,
            **_told(version),
            "Live": [
                {"Campaign": name, "Version": served, **_told(known.get(served, Version(served)))}
                for name, served in _served(outcomes, arn)
            ],
            "Verdicts": [_verdict(row, outcomes) for row in verdicts.get(arn, ())],
        }


def said(verdict: Mapping[str, Any]) -> list[str]:
    """Return the reasons of a verdict that is kept, each with its rule's id."""
    return [f"{one['told']} [{one['rule']}]" for one in verdict["reasons"]]


def _verdict(row: Mapping[str, Any], outcomes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    id = str(row["campaign"])
    held = any(one.get("resource") == id and one.get("held") == row["version"] for one in outcomes)
    return {
        "Campaign": id.rpartition(".")[2],
        "Verdict": row["word"],
        "Mode": row["mode"],
        "Held": held,
        "Pinned": row["pinned"],
        "NoNewItems": row["refreshed"],
        "Reasons": said(row),
        "Notes": list(row["notes"]),
    }


def held(group: str, outcomes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Say of each campaign that was not moved to the newest version so, with what can be done."""
    for one in outcomes:
        if one.get("held") and one["noun"] == "Campaign":
            solution, _, version = str(one["held"]).rpartition("/")
            name = solution.rpartition("/")[2]
            yield (
                f"Campaign {one['name']} is held: it is not moved to {name}/{version}. "
                f"mpe approve {group} {name} {version} --why ... lets it be served, and "
                f"mpe reject {group} {name} {version} --why ... ends the matter."
            )


def _served(outcomes: Sequence[Mapping[str, Any]], arn: str) -> Iterator[tuple[str, str]]:
    """Yield the campaigns of a version's solution, with the other version that each served."""
    solution = arn.rpartition("/")[0]
    for one in outcomes:
        served = str(one.get("served") or "")
        if served.rpartition("/")[0] == solution and served != arn:
            yield str(one["name"]), served


def _told(version: Version) -> dict[str, Any]:
    known = {"TrainingHours": version.hours, "Rows": version.rows, "Users": version.users}
    told = {key: value for key, value in known.items() if value is not None}
    return {"TrainingMode": version.mode, **told, "Metrics": dict(version.metrics)}
