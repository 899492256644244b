"""Deploying, and what is told when it fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from mpe.assembly.synthesis import Assembly
from mpe.local.cloud import LocalCloud
from mpe.local.deploy import Template
from mpe.local.errors import DeployError
from mpe.local.ports import listening


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
def test_an_app_that_fails_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text("raise SystemExit('the bucket has no name')")
    cloud = LocalCloud(app=[str(app)])
    with pytest.raises(DeployError, match="the bucket has no name"):
        cloud.start()
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
