"""Synthesizing and deploying, and what is told when either fails."""

from __future__ import annotations

import os
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from mpe.local.cloud import LocalCloud
from mpe.local.deploy import Assembly, Template, synthesize, zipped
from mpe.local.errors import DeployError
from mpe.local.processes import listening


def test_a_folder_is_zipped_to_the_same_bytes_whenever_it_was_written(tmp_path: Path) -> None:
    archives = []
    for name, names in (("one", "ab"), ("two", "ba")):
        for file in names:
            (tmp_path / name / "in").mkdir(parents=True, exist_ok=True)
            (tmp_path / name / "in" / file).write_text(file)
            os.utime(tmp_path / name / "in" / file, (len(archives), len(archives)))
        archives.append(zipped(tmp_path / name))
    assert archives[0] == archives[1]
    assert zipfile.ZipFile(BytesIO(archives[0])).namelist() == ["in/a", "in/b"]


def test_an_app_that_fails_is_told_with_its_own_words(tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text("raise SystemExit('the bucket has no name')")
    with pytest.raises(DeployError, match="the bucket has no name"):
        synthesize(tmp_path / "out", [str(app)])


def test_what_the_app_started_ends_with_it(tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    pid = tmp_path / "pid"
    app.write_text(
        "import subprocess, sys, pathlib\n"
        "child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE,"
        " stderr=subprocess.DEVNULL)\n"
        f"pathlib.Path({str(pid)!r}).write_text(str(child.pid))\n"
        "import os; os._exit(1)\n"
    )
    with pytest.raises(DeployError):
        synthesize(tmp_path / "out", [str(app)])
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_an_assembly_without_a_stack_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"artifacts": {}}')
    with pytest.raises(DeployError, match="has no stack"):
        Assembly.read(tmp_path)


def test_without_node_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JSII_NODE", raising=False)
    with pytest.raises(DeployError, match=r"Node\.js is needed"):
        synthesize(tmp_path / "out")


@pytest.mark.local
def test_a_stack_that_fails_is_told_with_the_reason_and_nothing_is_left(
    assembly: Assembly,
) -> None:
    def break_it(template: Template) -> Template:
        template["Resources"]["Broken"] = {
            "Type": "AWS::IAM::Policy",
            "Properties": {"PolicyName": "p", "PolicyDocument": {}, "Roles": ["nobody"]},
        }
        return template

    cloud = LocalCloud(assembly=assembly, edit_template=break_it)
    with pytest.raises(DeployError) as failed, cloud:
        pass
    assert "Broken (AWS::IAM::Policy): The role with name nobody" in str(failed.value)
    assert not listening(cloud.port)
    assert not cloud.folder.exists()


@pytest.mark.local
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"AWS_PROFILE": "nobodys"}, id="a-profile"),
        pytest.param({"AWS_CONFIG_FILE": "config"}, id="a-config-file"),
        pytest.param({"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}, id="a-proxy"),
        pytest.param({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, id="an-endpoint"),
        pytest.param({"AWS_USE_FIPS_ENDPOINT": "true"}, id="fips"),
    ],
)
def test_the_users_own_settings_do_not_matter(
    cloud: LocalCloud,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str],
) -> None:
    (tmp_path / "config").write_text("[default]\nregion = eu-north-1\nrole_arn = none\n")
    monkeypatch.chdir(tmp_path)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    another = LocalCloud(port=cloud.port)
    buckets = another.client("s3").list_buckets()["Buckets"]
    servers = another._server_environment()
    another.stop()
    assert cloud.outputs["DataBucket"] in {one["Name"] for one in buckets}
    assert not settings.items() & servers.items()
