"""The ``build-s3-cdk-dist`` command.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table

from mpe.assembly.synthesis import ROOT, AssemblyError
from mpe.infrastructure.package import LAMBDA
from mpe.infrastructure.released import Released
from mpe.model.endpoints import NO_ENDPOINT, is_endpoint
from mpe.release.build import Build, build
from mpe.release.errors import ReleaseError
from mpe.release.git import uncommitted
from mpe.release.source import clean, source_package
from mpe.release.upload import Bucket, buckets, upload

FAILED = 1
INTERRUPTED = 130
SOLUTION = "maintaining-personalized-experiences"
SETTINGS = "the environment's AWS_ variables, and the profile"
SHOWN = 5
"""How many packages of an asset are listed."""
LONGEST_BUCKET = 63
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]+")
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""What stands in a key and in a URL as it is."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mpe")
def main_group() -> None:
    """Release the solution as a template that CloudFormation takes as it is."""


def named(pattern: re.Pattern[str]) -> Callable[[click.Context, click.Parameter, str], str]:
    def check(_: click.Context, __: click.Parameter, value: str) -> str:
        if not pattern.fullmatch(value):
            raise click.BadParameter(f"{value!r} does not match {pattern.pattern}")
        return value

    return check


def _endpoint(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not is_endpoint(value):
        raise click.BadParameter(NO_ENDPOINT.format(value))
    return value


@main_group.command()
@click.option(
    "--source-bucket-name",
    required=True,
    callback=named(BUCKET),
    help="The bucket of the template; its assets are in the bucket NAME-REGION of each region.",
)
@click.option("--solution-name", required=True, callback=named(NAME), help="The first folder.")
@click.option(
    "--version_code",
    "--version-code",
    required=True,
    callback=named(NAME),
    help="The folder in it: v1.2.3.",
)
@click.option(
    "--cdk-app-path",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=ROOT / "source",
    help="The folder of the CDK app: by default this checkout's source.",
)
@click.option(
    "--cdk-app-entrypoint", default="app.py", show_default=True, help="The app in that folder."
)
@click.option(
    "--region",
    "regions",
    multiple=True,
    default=["us-east-1"],
    show_default=True,
    help="Where the stack can be created; may be given again.",
)
@click.option(
    "--output-path",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT / "deployment",
    help="Where global-s3-assets and regional-s3-assets are written: by default deployment.",
)
@click.option("--sync", is_flag=True, help="Upload; without it nothing leaves this machine.")
@click.option("--profile", help="The AWS profile.")
@click.option(
    "--endpoint-url", callback=_endpoint, help="Another endpoint than AWS's: the local cloud's."
)
def deploy(
    source_bucket_name: str,
    solution_name: str,
    version_code: str,
    cdk_app_path: Path,
    cdk_app_entrypoint: str,
    regions: tuple[str, ...],
    output_path: Path,
    sync: bool,
    profile: str | None,
    endpoint_url: str | None,
) -> None:
    """Build the template and its assets and, with --sync, upload them.

    Example: build-s3-cdk-dist deploy --source-bucket-name films --solution-name personalize
    --version_code v1.2.3 --sync
    """
    regions = tuple(dict.fromkeys(regions))
    _check_lengths(source_bucket_name, regions)
    app = (cdk_app_path / cdk_app_entrypoint).resolve()
    if not app.is_file():
        raise click.BadParameter(f"{app} does not exist", param_hint="--cdk-app-entrypoint")
    released = Released(source_bucket_name, solution_name, version_code)
    target = os.environ.get("MPE_PACKAGE_TARGET", LAMBDA.name)
    _warn(target)
    places = _buckets(released, regions, profile, endpoint_url) if sync else []
    built = build(released, app, output_path.resolve(), target=target)
    _show(built)
    if sync:
        _upload(built, released, places, endpoint_url)


@main_group.command("source-code-package")
@click.option(
    "--solution-name",
    default=SOLUTION,
    show_default=True,
    callback=named(NAME),
    help="The name of the zip.",
)
def source_code_package(solution_name: str) -> None:
    """Zip the source of the last commit into deployment/open-source."""
    _tell_uncommitted()
    click.echo(source_package(ROOT, solution_name))


@main_group.command("clean-for-scan")
def clean_for_scan() -> None:
    """Remove what builds, tests and tools have left, so that a scan sees the source alone."""
    for one in clean(ROOT):
        click.echo(f"removed {one.relative_to(ROOT)}")


def _check_lengths(bucket: str, regions: Sequence[str]) -> None:
    longest = max((f"{bucket}-{region}" for region in regions), key=len)
    if len(longest) > LONGEST_BUCKET:
        raise click.BadParameter(
            f"the bucket {longest} has {len(longest)} characters; S3 allows {LONGEST_BUCKET}",
            param_hint="--source-bucket-name",
        )


def _warn(target: str) -> None:
    if target != LAMBDA.name:
        click.echo(f"MPE_PACKAGE_TARGET={target}: these assets do not run in Lambda.", err=True)
    elif not LAMBDA.compiled:
        version = ".".join(map(str, LAMBDA.python))
        click.echo(
            f"The modules are not compiled, since this is not Python {version} and pyodide is not "
            "there (npm ci): cold starts take longer than they need.",
            err=True,
        )
    _tell_uncommitted()


def _tell_uncommitted() -> None:
    changed = uncommitted(ROOT)
    if changed:
        rest = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
        click.echo(f"Not committed: {', '.join(changed[:SHOWN])}{rest}", err=True)


def _show(built: Build) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("asset", "file", "zipped", "unzipped", "the most of it"):
        numeric = heading.endswith("zipped")
        table.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    for asset in built.assets:
        most = list(asset.packages.items())[:SHOWN]
        table.add_row(
            asset.name,
            asset.file.name,
            f"{asset.zipped:,}",
            f"{asset.unzipped:,}",
            ", ".join(f"{name} {size:,}" for name, size in most),
        )
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 400
    console.print(table)
    for path in built.shared:
        click.echo(f"{path.relative_to(built.folder.parent)}  {path.stat().st_size:,}")


def _buckets(
    released: Released, regions: Sequence[str], profile: str | None, endpoint: str | None
) -> list[Bucket]:
    session = boto3.Session(profile_name=profile, region_name=regions[0])

    def client(service: str, region: str | None) -> Any:
        try:
            return session.client(service, region_name=region, endpoint_url=endpoint)
        except BotoCoreError:  # some of which are ValueErrors as well
            raise
        except ValueError as error:
            raise ReleaseError(f"{error}. See {SETTINGS}.") from error

    return buckets(released, regions, client)


def _upload(
    built: Build, released: Released, places: Sequence[Bucket], endpoint: str | None
) -> None:
    for one in upload(built, released, places):
        click.echo(f"{'uploaded' if one.new else 'is there'}  s3://{one.bucket}/{one.key}")
    for template in built.templates:
        key = released.prefix + template.name
        host = f"{endpoint}/{released.bucket}" if endpoint else f"https://{_host(released.bucket)}"
        click.echo(f"TemplateURL: {host}/{key}")


def _host(bucket: str) -> str:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html"""
    return f"{bucket}.s3.amazonaws.com"


def main() -> None:
    """Run the command line; tell a user's error in a line, without a stack trace."""
    try:
        sys.exit(main_group.main(prog_name="build-s3-cdk-dist", standalone_mode=False))
    except click.exceptions.Abort:
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (AssemblyError, ReleaseError, ClientError, BotoCoreError, OSError) as error:
        click.echo(f"build-s3-cdk-dist: {error}", err=True)
        sys.exit(FAILED)


if __name__ == "__main__":
    main()
