"""``mpe apply`` and ``mpe watch``: upload a config with its data, and follow its run."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click
from botocore.exceptions import ClientError
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from mpe.aws.objects import DataVersion, Objects
from mpe.aws.personalize import Personalize
from mpe.aws.uploads import LocalFile, Uploads
from mpe.cli.account import OUTPUT, Account, in_account
from mpe.cli.check import check_folder, csvs_in, print_findings
from mpe.cli.configs import planned_in
from mpe.cli.follow import Follow
from mpe.cli.outcomes import print_run
from mpe.cli.plans import exit_code, print_plan
from mpe.cli.terminal import answer, as_json, console, print_plain, say
from mpe.cli.validate import FILE, PROBLEMS, accepted
from mpe.model.config.sections import Config
from mpe.model.plan.desired import BATCH_INPUT, DELETIONS, Data, config_of, folder_of
from mpe.model.plan.owner import marked
from mpe.model.service.names import version_digest

INTERRUPTED = 130
REFUSED = 1
YES = click.option("--yes", is_flag=True, help="Do not ask.")
WATCH = click.option("--watch", is_flag=True, help="Follow the run to its end.")


@click.command()
@click.argument("file", metavar="CONFIG", type=FILE)
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Upload the CSVs of this folder as well.",
)
@click.option("--no-check", is_flag=True, help="Upload the CSVs without looking into them.")
@WATCH
@YES
@in_account
@OUTPUT
def apply(
    file: Path,
    data: Path | None,
    no_check: bool,
    watch: bool,
    yes: bool,
    account: Account,
    output: str,
) -> None:
    """Upload a config, with its data, so that a run makes it true.

    First it is checked, with its data, and what the run will do is shown. Files that lie in S3
    already are not sent again, and an upload that broke off goes on where it was. In the folder of
    --data lie interactions.csv or interactions/*.csv and so on, and the input of batch jobs in
    batch/SOLUTION/. Exit code 1 where the config has problems or the run failed, 4 where the link
    was lost, 130 after Ctrl-C; both stop watching and not the run.

    Example: mpe apply config.json --data . --watch
    """
    config = accepted(file)
    group = str(config.group.params["name"])
    beside = account.turns.folder(group) or folder_of(group)
    files = tuple(files_of(config, data, beside)) if data else ()
    if data and files and not no_check:
        _check(config, data)
    uploaded = apply_config(config, file.read_bytes(), account, files=files, yes=yes)
    end(uploaded, account, watch=watch)


@click.command()
@click.argument("group")
@click.argument("run", required=False)
@in_account
@OUTPUT
def watch(group: str, run: str | None, account: Account, output: str) -> None:
    """Follow a run of a dataset group to its end: the newest, or the one that is named.

    A lost link is waited for. Exit code 1 where the run failed, 4 where the link stayed lost, 130
    after Ctrl-C; both stop watching and not the run.

    Example: mpe watch movielens
    """
    found = Follow(account, group)
    name = run or next((row["run"] for row in found.turns.runs(group)), None)
    if name is None:
        raise click.ClickException(f"{group} has no run. See `mpe runs`.")
    told = _to_end(found, name)
    if output == "json":
        answer(told)
    _leave(told)


def _check(config: Config, folder: Path) -> None:
    """Look into the CSVs, as `mpe check-data` does, before anything is sent."""
    findings = check_folder(config, folder)
    print_findings(findings, "table")
    if any(one.severity == "error" for one in findings):
        raise click.ClickException(
            "the data has errors: nothing was uploaded. --no-check uploads it all the same."
        )


@dataclass(frozen=True)
class Uploaded:
    """A config that was uploaded, or need not be."""

    group: str
    steps: list[dict[str, Any]]
    """What the run will do."""
    digest: str | None = None
    """The end of its run's name; None where there is nothing to do."""
    place: str | None = None
    """Where it was uploaded to."""


def apply_config(
    config: Config,
    text: bytes,
    account: Account,
    *,
    files: Sequence[LocalFile],
    yes: bool,
    taken_from: str | None = None,
) -> Uploaded:
    """Show what would be done, ask, and upload where there is anything to do.

    The dataset group is taken over before, where it is ``taken_from`` another stack.
    """
    group, bucket = str(config.group.params["name"]), account.output("DataBucket")
    uploads = Uploads(account.client("s3"), bucket)
    new = [file for file in files if not uploads.unchanged(file)]
    pending = Pending(account.client("s3"), new)
    plan = planned_in(config, account, pending, take_over=taken_from is not None)
    for one in config.notes:
        say(f"note: {one}")
    for local in new:
        say(f"^ s3://{bucket}/{local.key} ({local.size:,} bytes of {local.path})")
    if len(files) > len(new):
        say(f"= {len(files) - len(new)} files lie there already")
    print_plan(plan)
    code = exit_code(plan)
    if code == PROBLEMS:
        raise click.ClickException("what is marked with ! would fail: nothing was uploaded.")
    key = account.turns.key(group) or config_of(group)
    told = list(plan.rows())
    lies = code == 0 and not new and not taken_from
    if lies and (run := _run_of_the_same(account, group, bucket, key, text)):
        say(f"Nothing to do: this very config was uploaded before, and became the run {run}.")
        return Uploaded(group, told)
    if not yes:
        confirm("Upload it?")
    if taken_from:
        _take_over(account, group, taken_from)
    _send(uploads, new)
    sent = account.client("s3").put_object(Bucket=bucket, Key=key, Body=text)
    say(f"Uploaded s3://{bucket}/{key}: the run begins.")
    digest = version_digest(bucket, key, sent["VersionId"])
    return Uploaded(group, told, digest, f"s3://{bucket}/{key}")


def _take_over(account: Account, group: str, before: str) -> None:
    """Mark a dataset group as this stack's, and tell what the other still does."""
    place = account.place()
    arn = place.arn(f"dataset-group/{group}")
    Personalize(account.client("personalize")).tag(arn, marked((), place.stack))
    told = f"{group} is maintained by the stack {place.stack} and no longer by {before}"
    if account.status_of(before) is None:
        say(f"{told}, which is not there any more.")
        return
    say(
        f"{told}, whose schedules fire and are refused until they are disabled there: "
        f"`mpe schedule list {group} --stack {before}`."
    )


def _run_of_the_same(
    account: Account, group: str, bucket: str, key: str, text: bytes
) -> str | None:
    """Return the run that the very same config has become, which works or went well.

    A config that lies there is none where it was rejected, or its run failed or was stopped: then
    another upload is the way on.
    """
    try:
        found = account.client("s3").get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return None
        raise
    if found["Body"].read() != text:
        return None
    digest = version_digest(bucket, key, found.get("VersionId", ""))
    rows = (row for row in account.turns.runs(group) if row["run"].endswith(f"-{digest}"))
    row = next(rows, None)
    if row is not None:
        return str(row["run"]) if row["status"] in {"RUNNING", "SUCCEEDED"} else None
    follow = Follow(account, group)
    run = follow.run_of(digest)
    return run if run and follow.works(run) else None


def confirm(question: str) -> None:
    """Ask, or refuse where nobody can answer."""
    if not sys.stdin.isatty():
        raise click.ClickException(f"{question} Nobody can be asked here: say so with --yes.")
    click.confirm(question, abort=True, err=as_json())


def end(uploaded: Uploaded, account: Account, *, watch: bool) -> None:
    """Follow the run of an upload where that is asked for; Ctrl-C stops that and not the run."""
    told: dict[str, Any] = {}
    if watch and uploaded.digest:
        found = Follow(account, uploaded.group)
        try:
            run = found.began(uploaded.digest)
        except KeyboardInterrupt:
            _stopped(uploaded.group)
        told = _to_end(found, run)
    if as_json():
        result = {"group": uploaded.group, "uploaded": uploaded.place, "steps": uploaded.steps}
        answer(result | ({"run": told} if told else {}))
    if told:
        _leave(told)


def _to_end(found: Follow, run: str) -> dict[str, Any]:
    try:
        told = found.to_end(run)
    except KeyboardInterrupt:
        _stopped(found.group)
    print_run(told)
    return told


def _leave(told: Mapping[str, Any]) -> NoReturn:
    raise click.exceptions.Exit(0 if told["status"] == "SUCCEEDED" else REFUSED)


def _stopped(group: str) -> NoReturn:
    click.echo(f"\nThe run goes on. See it with `mpe watch {group}`.", err=True)
    raise click.exceptions.Exit(INTERRUPTED)


class Pending(Objects):
    """The bucket as it will be once some files are uploaded, for a plan of that."""

    def __init__(self, client: object, files: Sequence[LocalFile]) -> None:
        super().__init__(client)
        self._new = {file.key for file in files}

    def data(self, data: Data) -> DataVersion:
        there = super().data(data)
        below = data.folder and any(key.startswith(data.folder) for key in self._new)
        if data.file in self._new or below:
            return DataVersion(there.location, datetime.now(UTC))
        return there


def files_of(config: Config, folder: Path, beside: str) -> Iterator[LocalFile]:
    """Yield the files of a folder that belong to a config, with their keys.

    ``beside`` is the folder in the bucket that the dataset group is maintained from.
    """
    group = str(config.group.params["name"])
    kinds = [dataset.kind for dataset in config.datasets]
    for name in (*kinds, *([DELETIONS] if config.data_deletion else [])):
        file, several = csvs_in(folder, name)
        if file.exists() and several:
            say(f"note: {file} is used, and the CSVs in {folder / name}/ are not.")
        for path in [file] if file.exists() else several:
            yield LocalFile(path, f"{beside}{path.relative_to(folder).as_posix()}")
    for solution in config.solutions:
        own = Path("batch") / str(solution.solution.params["name"])
        if (path := folder / own / BATCH_INPUT).exists():
            yield LocalFile(path, f"batch/{group}/{own.name}/{BATCH_INPUT}")


def _send(uploads: Uploads, files: Sequence[LocalFile]) -> None:
    """Upload files, with a bar for each where somebody looks."""
    out = console()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=out, disable=not out.is_terminal) as progress:
        for file in files:
            task = progress.add_task(file.path.name, total=file.size)
            uploads.put(file, partial(progress.advance, task))
            print_plain(out, f"Uploaded {file.path}")
