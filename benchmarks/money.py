"""What AWS asks for a run and for a month without any, in USD: ``benchmarks/prices.json``.

All but the prices is counted: what a run takes by :mod:`benchmarks.simulation`, and what a stack
has while nothing runs by the template.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.billed import Counts

HOURS = 730
"""Hours of a month, as AWS has them."""
MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}
NOT_KNOWN = "not known"
ROTATED = (
    "https://aws.amazon.com/blogs/security/"
    "the-curious-case-of-faster-aws-kms-symmetric-key-rotation/"
)
"""Where AWS says that a key's price grows with its first two rotations and no more."""
Counted = Mapping[str, float]


@dataclass(frozen=True)
class Price:
    """What so many of something cost, and how many of them are free each month."""

    what: str
    usd: float
    per: float
    free: float
    source: str
    seen: str
    """The month of the newest page in public that was read and says so, where that has a date."""

    def of(self, count: float, *, beyond_free: bool = False) -> float:
        """Return what so many cost in a month, all of them or only those that are not free."""
        return max(0.0, count - self.free * beyond_free) * self.usd / self.per


def prices() -> dict[str, Price]:
    text = (Path(__file__).parent / "prices.json").read_text()
    return {name: Price(**one) for name, one in json.loads(text)["prices"].items()}


def bill(counts: Counted, *, beyond_free: bool = False) -> dict[str, float]:
    """Return what counts come to, by the names of all prices; a count without a price is wrong."""
    known = prices()
    if unknown := counts.keys() - known.keys():
        raise ValueError(f"no price is known of {', '.join(sorted(unknown))}")
    return {
        name: price.of(counts.get(name, 0), beyond_free=beyond_free)
        for name, price in known.items()
    }


def of_stack(template: Mapping[str, Any]) -> dict[str, float]:
    """Return what a stack has whether anything runs or not: by the month, and looks of its rules.

    An alarm is billed by the metrics that it watches.
    """
    found = Counts()
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::CloudWatch::Alarm":
                some = properties.get("Metrics", [{"MetricStat": properties}])
                found.add({"alarm_metrics": sum("MetricStat" in one for one in some)})
            case "AWS::CloudWatch::Dashboard":
                found.add({"dashboards": 1})
            case "AWS::KMS::Key":
                found.add({"keys": 1})
            case "AWS::Events::Rule" if "ScheduleExpression" in properties:
                found.add({"looks": a_month(properties["ScheduleExpression"])})
    return dict(found)


def a_month(rate: str) -> float:
    """Return how often a rule with a rate fires in a month."""
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", rate)
    if found is None:
        raise ValueError(f"{rate} is no rate")
    return HOURS * 60 / (int(found[1]) * MINUTES[found[2]])


def idle(stack: Counted, look: Counted) -> dict[str, float]:
    """Return what a month is billed as in which nothing runs but the function at a rate."""
    looks = stack["looks"]
    of_looks = {name: count * looks for name, count in look.items() if name != "metrics"}
    fixed = {name: count for name, count in stack.items() if name != "looks"}
    return {**of_looks, **fixed, "metric_months": look["metrics"]}


def section(
    found: Mapping[str, Any], elsewhere: Counted, looks: Mapping[str, Counted]
) -> Iterator[str]:
    """Yield the paragraphs and the table of the report, without its heading.

    ``elsewhere`` is what is known of a run of the AWS solution, and ``looks`` what the function at
    a rate takes of several dataset groups.
    """
    bills = {name: bill(counts) for name, counts in found["runs"].items()}
    month = idle(found["stack"], found["look"])
    bills["an idle month"] = bill(month)
    yield _preface(found)
    yield _table(bills, {name: prices()[name].of(count) for name, count in elsewhere.items()})
    whole, beyond = (sum(bill(month, beyond_free=free).values()) for free in (False, True))
    yield (
        f"The free tier, which is for all of an account and not counted here, takes "
        f"{told(whole - beyond)} USD of the idle month where nothing else uses it, so that "
        f"{told(beyond)} USD are left. The key is rotated each year, and costs 1.00 USD more "
        f"from the second year on and 2.00 from the third; [later rotations are free]({ROTATED}). "
        f"{_of_groups(found['stack'], looks)}"
    )
    yield (
        "Of the AWS solution the first figures are by arithmetic from the invocations and "
        "transitions above; how much memory its functions have, and what else it asks of AWS, is "
        "not known. Of its idle month it is known that a dashboard may be "
        "[switched on](https://docs.aws.amazon.com/solutions/latest/"
        "maintaining-personalized-experiences-with-ml/aws-well-architected-design.html), and "
        "nothing else."
    )


def _preface(found: Mapping[str, Any]) -> str:
    document = json.loads((Path(__file__).parent / "prices.json").read_text())
    return (
        "The three runs of the reference scenario, and a month of 730 hours in which nothing runs "
        f"but the function that looks after models, {found['stack']['looks']:,.0f} times; in USD, "
        f"with the prices of {document['region']} on arm64, as looked up on {document['asOf']}: "
        "`benchmarks/prices.json` has them with their sources. An invocation takes 0.3 s, as "
        "above, and is billed with the memory that the function has. Counted are the requests of "
        "the functions on the wire, rows as JSON, which is longer than they are; what they and the "
        "workflows log; each of our own metrics in each hour in which it is measured. Not counted "
        "are what Amazon Personalize itself costs, what lies in S3, in the tables and in the logs, "
        "cold starts, the key's requests and queries of the dashboard."
    )


def _table(bills: Mapping[str, Counted], elsewhere: Counted) -> str:
    dashboards = "0 to 3.00"
    rows = [["USD", *bills, "the AWS solution, first run", "the AWS solution, an idle month"]]
    rows.append(["---"] * len(rows[0]))
    for name, price in prices().items():
        there = told(elsewhere[name]) if name in elsewhere else NOT_KNOWN
        month = dashboards if name == "dashboards" else NOT_KNOWN
        rows.append([price.what, *(told(one[name]) for one in bills.values()), there, month])
    totals = (f"**{told(sum(one.values()))}**" for one in bills.values())
    known = f"{told(sum(elsewhere.values()))} and what is not known"
    rows.append(["**all**", *totals, known, f"{dashboards} and what is not known"])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _of_groups(stack: Counted, looks: Mapping[str, Counted]) -> str:
    """Say what an idle month costs with several dataset groups, of which each is looked at."""
    months = {count: sum(bill(idle(stack, look)).values()) for count, look in looks.items()}
    return " ".join(
        f"With {count} dataset groups that have a campaign it comes to {told(usd)} USD; that a "
        "look at so many takes longer than 0.3 s is not in it."
        for count, usd in months.items()
    )


def told(usd: float) -> str:
    """Return an amount with as many places as it has something to say with."""
    if 0 < usd < 0.0001:
        return "below 0.0001"
    return f"{usd:.2f}" if usd >= 0.1 else f"{usd:.4f}" if usd else "0"
