"""``mpe logs``: what the functions wrote in a run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import click

from mpe.cli.account import OUTPUT, Account, in_account
from mpe.cli.terminal import answer, say

AT_ONCE = 8
"""How many log groups are asked at the same time."""
AROUND = timedelta(minutes=5)
"""How long before a run begins, and after it ends, its functions may have written."""
OWN = frozenset({"timestamp", "level", "message", "correlation_id", "service"})
"""What a line has beside what it is about."""


@click.command()
@click.argument("run")
@click.option("--errors", is_flag=True, help="Only errors and warnings.")
@in_account
@OUTPUT
def logs(run: str, errors: bool, account: Account, output: str) -> None:
    """Show what all functions wrote in a run, in the order of time.

    The stack has the same as saved queries of CloudWatch Logs Insights.
    Example: mpe logs 20260801T120000-0123abcd
    """
    found = account.turns.find(run)
    if found is None:
        raise click.ClickException(f"there is no run {run!r}. `mpe runs` lists them.")
    begin, end = _span(found[1])
    client, groups = account.client("logs"), sorted(log_groups(account))
    ask = partial(_lines, client, run=run, begin=begin, end=end)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        lines = sorted(
            (line for some in pool.map(ask, groups) for line in some), key=lambda one: one["time"]
        )
    if errors:
        lines = [one for one in lines if one["level"] in {"ERROR", "WARNING", "CRITICAL"}]
    if output == "json":
        answer(lines)
        return
    for one in lines:
        more = f" {json.dumps(one['more'])}" if one["more"] else ""
        say(f"{one['time']} {one['level']:7} {one['function']}: {one['message']}{more}")
    say(f"{len(lines)} lines of {len(groups)} functions.", err=True)


def log_groups(account: Account) -> Iterator[str]:
    """Yield the log groups of a stack."""
    pages = account.client("cloudformation").get_paginator("list_stack_resources")
    for page in pages.paginate(StackName=account.stack):
        for one in page["StackResourceSummaries"]:
            if one["ResourceType"] == "AWS::Logs::LogGroup":
                yield str(one["PhysicalResourceId"])


def _span(row: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """Return from when until when to look: log groups keep a year."""
    begin = datetime.fromisoformat(row["started"]) - AROUND
    end = datetime.fromisoformat(row["ended"]) + AROUND if "ended" in row else datetime.now(UTC)
    return begin, end


def _lines(
    client: Any, group: str, *, run: str, begin: datetime, end: datetime
) -> list[dict[str, Any]]:
    """Return what one function wrote in a run, whose id each of its lines carries."""
    pages = client.get_paginator("filter_log_events").paginate(
        logGroupName=group,
        filterPattern=f'"{run}"',
        startTime=round(begin.timestamp() * 1000),
        endTime=round(end.timestamp() * 1000),
    )
    return [_line(group, event) for page in pages for event in page["events"]]


def _line(group: str, event: Mapping[str, Any]) -> dict[str, Any]:
    time = datetime.fromtimestamp(event["timestamp"] / 1000, UTC).isoformat(timespec="milliseconds")
    try:
        found = json.loads(event["message"])
    except ValueError:
        found = {"message": event["message"].rstrip()}
    if not isinstance(found, dict):
        found = {"message": str(found)}
    return {
        "time": time,
        "level": str(found.get("level", "")),
        "function": str(found.get("function_name", group)),
        "message": found.get("message"),
        "more": {
            key: value
            for key, value in found.items()
            if key not in OWN
            and not key.startswith(("function_", "xray"))
            and key not in {"location", "cold_start"}
        },
    }
