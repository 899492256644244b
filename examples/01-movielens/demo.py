"""The main job, end to end: upload a config and CSVs, get a campaign that recommends films.

Starts a local cloud, does what a user does with boto3, shows every resource as it comes to
life, what the model recommends and the email that was sent. Then newer ratings arrive, and the
config's schedules import them, train again and move the campaign, without anybody doing
anything. Then a broken export brings half of the users: the config's gate does not import it. At
last another one brings wrong items: its model is worse, and is held; it is approved by a command,
and rolled back by another. The exit code is 0 only if all of that happened.

    python examples/01-movielens/demo.py [--port PORT] [--time-scale N]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from prepare import prepare, titles
from rich.console import Console
from rich.live import Live
from rich.table import Table

from mpe.local.cloud import DEFAULT_SPEED, LocalCloud
from mpe.local.errors import LocalCloudError
from mpe.model.messages import spoken
from mpe.model.service.spec import SPECS

HERE = Path(__file__).parent
GROUP = "movielens"
SOLUTION = CAMPAIGN = "movielens-for-you"
TASKS = ("import", f"full.{SOLUTION}")
FILTER = "movielens-unseen"
USER = "1"
IMPORTS, TRAININGS = "rate(2 hours)", "rate(3 hours)"
"""Schedules that fire within the demo: an hour takes 18 seconds in it."""
GATE = {
    "mode": "hold",
    "metrics": {"normalized_discounted_cumulative_gain_at_10": {"notBelow": "-40%"}},
}
"""Equally good models of so few users differ by a quarter; from six versions on "auto" knows it."""
KNOWN = 0.8
"""The share of the ratings, the oldest, that are there in the beginning."""
PATIENCE = 300
"""Seconds until the demo gives up."""

Statuses = dict[str, str]


class DemoError(Exception):
    """Something that the demo promises did not happen."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="0 for any free one")
    parser.add_argument("--time-scale", type=float, default=DEFAULT_SPEED)
    given = parser.parse_args()
    console = Console(highlight=False)
    began = time.monotonic()
    try:
        folder = prepare()
        console.print(f"Prepared the MovieLens ratings in {folder.relative_to(Path.cwd())}.")
        with LocalCloud(port=given.port, speed=given.time_scale) as cloud:
            took = time.monotonic() - began
            console.print(f"The local cloud is up at {cloud.endpoint}, after {took:.0f} s.\n")
            _run(cloud, folder, console)
    except (DemoError, LocalCloudError) as error:
        console.print(f"\n{error}", style="red")
        return 1
    console.print(f"\nAll of it took {spoken(time.monotonic() - began)}.")
    return 0


def _run(cloud: LocalCloud, folder: Path, console: Console) -> None:
    _upload(cloud, folder, console)
    _follow(cloud, console, lambda: _run_status(cloud) not in {"", "RUNNING"})
    status = _run_status(cloud)
    if status != "SUCCEEDED":
        _show_mail(cloud, console, lambda mail: True)
        raise DemoError(f"The workflow {status}.")
    console.print("The workflow SUCCEEDED.", style="green")
    first = _show_campaign(cloud, console)
    _show_recommendations(cloud, folder, console)
    _show_mail(cloud, console, lambda mail: "is ready" in mail["subject"])
    _second_act(cloud, folder, console, first)
    _third_act(cloud, folder, console)
    _fourth_act(cloud, folder, console)


def _second_act(cloud: LocalCloud, folder: Path, console: Console, first: dict[str, float]) -> None:
    """Let newer ratings arrive, and watch the schedules do the rest."""
    console.print("\nSome time later, newer ratings arrive.", style="bold")
    _put(cloud, "interactions.csv", (folder / "interactions.csv").read_bytes(), console)
    console.print(
        f"\nThe config has schedules: import {IMPORTS}, train {TRAININGS}. "
        "Nobody does anything now.\n"
    )
    before = _version(cloud)

    def trained(mail: dict[str, str]) -> bool:
        return "scheduled full training" in mail["subject"]

    def moved() -> bool:
        return _version(cloud) != before and any(trained(one) for one in cloud.mail())

    _follow(cloud, console, moved)
    console.print("The schedules did it: the campaign serves a new model.", style="green")
    second = _show_campaign(cloud, console, first)
    if second == first:
        raise DemoError("The new model is the old one.")
    _show_mail(cloud, console, trained)


def _third_act(cloud: LocalCloud, folder: Path, console: Console) -> None:
    """Let an export lose half of its users: it is not imported."""
    console.print("\nSome day an export loses half of its users.", style="bold")
    for task in TASKS:
        _mpe(cloud, console, "schedule", "disable", GROUP, task)  # so as not to wait for them
    before, imports = _version(cloud), _imports(cloud)
    body = (folder / "interactions.csv").read_bytes()
    _put(cloud, "interactions.csv", _half(body), console)
    _run_task(cloud, console, "import")
    _show_mail(cloud, console, lambda mail: "mpe accept" in mail["body"])
    if _imports(cloud) != imports or _version(cloud) != before:
        raise DemoError("The broken data was imported.")
    console.print("Nothing was imported, and nothing trained.", style="green")


def _fourth_act(cloud: LocalCloud, folder: Path, console: Console) -> None:
    """Let an export mix up its items, which only the model's metrics tell."""
    console.print("\nAnother day an export mixes up its items.", style="bold")
    before = _version(cloud)
    body = (folder / "interactions.csv").read_bytes()
    _put(cloud, "interactions.csv", _mixed(body), console)
    _run_task(cloud, console, "import")
    _run_task(cloud, console, TASKS[1])
    _show_mail(cloud, console, lambda mail: "mpe approve" in mail["body"])
    if _version(cloud) != before:
        raise DemoError("The worse model is served.")
    console.print("The campaign serves the model that it served.\n", style="green")
    _mpe(cloud, console, "models", GROUP, SOLUTION)
    _mpe(cloud, console, "approve", GROUP, SOLUTION, "--why", "let us see")
    _await(lambda: _version(cloud) != before, "The approved model is not served.")
    _mpe(cloud, console, "rollback", GROUP, CAMPAIGN, "--why", "the lists are odd")
    _await(lambda: _version(cloud) == before, "The campaign was not rolled back.")
    console.print("The campaign is back at the model before.", style="green")


def _mpe(cloud: LocalCloud, console: Console, *words: str) -> str:
    """Run a command as a user does, and show it with what it says."""
    console.print(f"$ mpe {' '.join(words)}", style="bold", soft_wrap=True, markup=False)
    result = subprocess.run(
        [sys.executable, "-m", "mpe.cli.main", *words, "--stack", cloud.stack_name],
        env={**os.environ, **cloud.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise DemoError(f"mpe {words[0]} failed: {result.stderr or result.stdout}")
    if "--output" not in words:
        console.print(result.stdout, soft_wrap=True, markup=False)
    return result.stdout


def _run_task(cloud: LocalCloud, console: Console, task: str) -> None:
    """Run a scheduled task to its end, once it does not run already."""

    def ended() -> str:
        """Return when it last ended, or nothing while it runs."""
        rows = json.loads(_mpe(cloud, quiet, "schedule", "list", GROUP, "--output", "json"))
        (row,) = (one for one in rows if one["task"] == task)
        return "" if row["status"] == "RUNNING" else str(row["ended"])

    quiet = Console(quiet=True)
    _await(lambda: bool(ended()), f"The {task} does not end.")
    before = ended()
    _mpe(cloud, console, "schedule", "run", GROUP, task)
    _await(lambda: ended() not in {"", before}, f"The {task} does not end.")


def _await(done: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > deadline:
            raise DemoError(otherwise)
        time.sleep(0.5)


def _imports(cloud: LocalCloud) -> int:
    return len(cloud.client("personalize").list_dataset_import_jobs()["datasetImportJobs"])


def _half(body: bytes) -> bytes:
    """Return interactions without every second user."""
    header, *rows = body.splitlines(keepends=True)
    return header + b"".join(row for row in rows if int(row.partition(b",")[0]) % 2)


def _mixed(body: bytes) -> bytes:
    """Return interactions whose items are dealt anew."""
    header, *rows = body.splitlines(keepends=True)
    cells = [row.split(b",") for row in rows]
    items = [row[1] for row in cells]
    random.Random(3).shuffle(items)
    dealt = (b",".join([one[0], item, *one[2:]]) for one, item in zip(cells, items, strict=True))
    return header + b"".join(dealt)


def _upload(cloud: LocalCloud, folder: Path, console: Console) -> None:
    """Upload as a user does: the data first, then the config that starts the run."""
    for path in sorted(folder.glob("*.csv")):
        body = path.read_bytes()
        _put(cloud, path.name, _older(body) if path.stem == "interactions" else body, console)
    document = json.loads((HERE / "config.json").read_text())
    document["datasetGroup"]["workflowConfig"] = {"schedules": {"import": IMPORTS}, "gate": GATE}
    document["solutions"][0]["workflowConfig"] = {"schedules": {"full": TRAININGS}}
    # The service trains this one by itself, and no campaign serves it.
    document["solutions"][1]["workflowConfig"] = {"gate": {"mode": "observe"}}
    _put(cloud, "config.json", json.dumps(document, indent=2).encode(), console)
    console.print()


def _older(body: bytes) -> bytes:
    """Return a CSV of interactions without its newest rows."""
    header, *rows = body.splitlines(keepends=True)
    rows.sort(key=lambda row: int(row.rsplit(b",", 1)[1]))
    return header + b"".join(rows[: round(len(rows) * KNOWN)])


def _put(cloud: LocalCloud, name: str, body: bytes, console: Console) -> None:
    bucket, key = cloud.outputs["DataBucket"], f"train/{GROUP}/{name}"
    cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
    console.print(f"Uploaded {len(body):>9,} bytes to s3://{bucket}/{key}", soft_wrap=True)


def _follow(cloud: LocalCloud, console: Console, done: Callable[[], bool]) -> None:
    """Show every resource as it changes, until something is done."""
    deadline = time.monotonic() + PATIENCE
    seen = dict(_statuses(cloud.client("personalize"), cloud.account, cloud.region))
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while time.monotonic() < deadline:
            cloud.check()
            found = dict(_statuses(cloud.client("personalize"), cloud.account, cloud.region))
            if console.is_terminal:
                live.update(_table(found), refresh=True)
            else:
                _print_changes(console, seen, found)
            seen = found
            if done():
                break
            time.sleep(0.5)
        else:
            raise DemoError(f"It was not done within {PATIENCE} s.")
    if console.is_terminal:
        console.print(_table(seen))


def _run_status(cloud: LocalCloud) -> str:
    workflow = cloud.outputs["Workflow"]
    runs = cloud.client("stepfunctions").list_executions(stateMachineArn=workflow)["executions"]
    return str(runs[0]["status"]) if runs else ""


def _statuses(personalize: Any, account: str, region: str) -> Iterator[tuple[str, str]]:
    """Yield every resource of the dataset group with its status, parents first."""
    arn = f"arn:aws:personalize:{region}:{account}:dataset-group/{GROUP}"
    try:
        group = personalize.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]
    except personalize.exceptions.ResourceNotFoundException:
        return
    yield f"DatasetGroup {GROUP}", group["status"]
    yield from _children(personalize, "datasetGroupArn", arn)


def _children(personalize: Any, parent: str, arn: str) -> Iterator[tuple[str, str]]:
    for spec in SPECS.values():
        if spec.listed_by != parent:
            continue
        list_them = getattr(personalize, _snake(spec.list))
        for one in list_them(**{parent: arn})[spec.list_key]:
            own = one[spec.arn_key]
            name = one.get("name") or one.get("jobName") or "/".join(own.split("/")[1:])
            if spec.noun == "Dataset":
                schema = personalize.describe_dataset(datasetArn=own)["dataset"]["schemaArn"]
                yield f"Schema {schema.rsplit('/', 1)[-1]}", "ACTIVE"  # it has no status
            yield f"{spec.noun} {name}", one["status"]
            yield from _children(personalize, spec.arn_key, own)


def _snake(operation: str) -> str:
    from botocore import xform_name

    return str(xform_name(operation))


def _table(found: Statuses) -> Table:
    table = Table("Resource", "Status")
    for name, status in found.items():
        style = {"ACTIVE": "green", "CREATE FAILED": "red"}.get(status, "yellow")
        table.add_row(name, f"[{style}]{status}[/]")
    return table


def _print_changes(console: Console, before: Statuses, found: Statuses) -> None:
    for name, status in found.items():
        if before.get(name) != status:
            console.print(f"  {name}: {status}", soft_wrap=True)


def _campaign(cloud: LocalCloud) -> dict[str, Any]:
    arn = f"arn:aws:personalize:{cloud.region}:{cloud.account}:campaign/{CAMPAIGN}"
    found = cloud.client("personalize").describe_campaign(campaignArn=arn)["campaign"]
    return dict(found)


def _version(cloud: LocalCloud) -> str:
    return str(_campaign(cloud)["solutionVersionArn"])


def _show_campaign(
    cloud: LocalCloud, console: Console, before: dict[str, float] | None = None
) -> dict[str, float]:
    """Show that the campaign is ACTIVE, and the offline metrics of its model."""
    campaign = _campaign(cloud)
    if campaign["status"] != "ACTIVE":
        raise DemoError(f"The campaign is {campaign['status']}.")
    console.print(f"The campaign {CAMPAIGN} is ACTIVE. Its model's offline metrics:\n")
    metrics: dict[str, float] = cloud.client("personalize").get_solution_metrics(
        solutionVersionArn=campaign["solutionVersionArn"]
    )["metrics"]
    if not metrics:
        raise DemoError("The model has no metrics.")
    for name, value in sorted(metrics.items()):
        was = f"   (was {before[name]:.4f})" if before else ""
        console.print(f"  {name:43} {value:.4f}{was}")
    return metrics


def _show_recommendations(cloud: LocalCloud, folder: Path, console: Console) -> None:
    """Show ten films that the campaign recommends to a user, without those seen."""
    place = f"arn:aws:personalize:{cloud.region}:{cloud.account}"
    answer = cloud.client("personalize-runtime").get_recommendations(
        campaignArn=f"{place}:campaign/{CAMPAIGN}",
        filterArn=f"{place}:filter/{FILTER}",
        userId=USER,
        numResults=10,
    )
    films = titles(folder)
    if len(answer["itemList"]) != 10:
        raise DemoError(f"The campaign gave {len(answer['itemList'])} films, not 10.")
    console.print(f"\nTen films for user {USER}, none of which they have rated:\n")
    for place_, item in enumerate(answer["itemList"], 1):
        score = item.get("score", 0.0)
        console.print(f"  {place_:2}. {films[item['itemId']]:52} {score:.4f}", soft_wrap=True)


def _show_mail(
    cloud: LocalCloud, console: Console, which: Callable[[dict[str, str]], bool]
) -> None:
    """Show an email that the topic sent; it follows the run's end by a moment."""
    deadline = time.monotonic() + 30
    while not (mail := [one for one in cloud.mail() if which(one)]):
        if time.monotonic() > deadline:
            raise DemoError("No email was sent.")
        time.sleep(0.2)
    one = mail[0]
    console.print(f"\nThe email to {one['to']}:\n", style="bold")
    console.print(f"Subject: {one['subject']}\n\n{one['body']}", soft_wrap=True, markup=False)


if __name__ == "__main__":
    sys.exit(main())
