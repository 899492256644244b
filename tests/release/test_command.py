"""The command line: what it refuses, and what it shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from mpe.release.build import build
from mpe.release.errors import ReleaseError
from mpe.release.main import main_group
from mpe.release.upload import Bucket, upload
from tests.release.conftest import RELEASED


def deploy(*options: str, bucket: str = "films") -> Result:
    return CliRunner().invoke(
        main_group,
        [
            *("deploy", "--source-bucket-name", bucket, "--solution-name", "personalize"),
            *("--version-code", "v1.2.3", *options),
        ],
    )


def test_without_sync_it_builds_and_shows_what_each_asset_has(
    app: Callable[..., Path], tmp_path: Path
) -> None:
    folder = app(key="personalize/v1.2.3/f.zip").parent
    done = deploy("--cdk-app-path", str(folder), "--output-path", str(tmp_path / "out"))
    assert done.exit_code == 0, done.output
    assert "Code" in done.output
    assert "mpe 6" in done.output
    assert "Films.template" in done.output
    assert "s3://" not in done.output


@pytest.mark.parametrize(
    ("options", "told"),
    [
        pytest.param(
            ["--version_code", "1/2"], "'1/2' does not match", id="a-version-with-a-slash"
        ),
        pytest.param(["--solution-name", "a b"], "'a b' does not match", id="a-name-with-a-space"),
        pytest.param(["--source-bucket-name", "Films"], "'Films' does not", id="a-capital"),
        pytest.param(["--source-bucket-name", "f" * 60], "70 characters", id="too-long"),
        pytest.param(["--cdk-app-entrypoint", "no.py"], "no.py does not exist", id="no-app"),
        pytest.param(["--sync", "--endpoint-url", "foo"], "'foo' is no endpoint", id="no-url"),
    ],
)
def test_what_cannot_be_released_is_wrong_usage(options: list[str], told: str) -> None:
    done = deploy(*options)
    assert done.exit_code == 2
    assert told in " ".join(done.output.split())


def test_an_endpoint_of_the_environment_that_is_none_is_told(
    app: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "foo")
    done = deploy("--cdk-app-path", str(app().parent), "--sync")
    assert isinstance(done.exception, ReleaseError)
    assert str(done.exception).startswith("Invalid endpoint: foo. See the environment's AWS_")


class Recorder:
    """S3, as far as an upload to empty buckets needs it."""

    def __init__(self) -> None:
        self.put: list[str] = []

    def head_object(self, **_: str) -> None:
        raise ClientError({"ResponseMetadata": {"HTTPStatusCode": 404}}, "HeadObject")

    def put_object(self, **call: str) -> None:
        assert call["ExpectedBucketOwner"] == "1" * 12
        self.put.append(f"{call['Bucket']}/{call['Key']}")


def test_every_region_has_the_assets_before_the_template_that_names_them_is_there(
    app: Callable[..., Path], tmp_path: Path
) -> None:
    built = build(RELEASED, app(), tmp_path / "out")
    s3 = Recorder()
    places = [Bucket(s3, f"films-{one}", "1" * 12, one) for one in ("a", "b")]
    uploaded = list(upload(built, RELEASED, [*places, Bucket(s3, "films", "1" * 12)]))
    assert [f"{one.bucket}/{one.key}" for one in uploaded] == s3.put
    assert s3.put == [
        "films-a/personalize/v1.2.3/f.zip",
        "films-b/personalize/v1.2.3/f.zip",
        "films/personalize/v1.2.3/THIRD-PARTY-LICENSES.txt",
        "films/personalize/v1.2.3/provenance.intoto.json",
        "films/personalize/v1.2.3/sbom.cdx.json",
        "films/personalize/v1.2.3/Films.template",
    ]
