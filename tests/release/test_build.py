"""What a release consists of."""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest

from mpe.assembly.zips import SMALL, zipped
from mpe.infrastructure.package import LAMBDA, LOCAL, layer
from mpe.release.bill import component_of
from mpe.release.build import BOOTSTRAP, TEMPLATE_BYTES, Build, build
from mpe.release.errors import ReleaseError
from mpe.release.libraries import libraries_of
from tests.release.conftest import APP, RELEASED

MOST = {"Libraries": 6_000_000, "Functions": 1_000_000}
"""Zipped bytes of an asset with its compiled modules: 4.6 and 0.93 MB when this was set."""


@pytest.fixture(scope="module")
def template(built: Build) -> dict[str, Any]:
    (path,) = built.templates
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


@pytest.fixture(scope="module")
def bill(built: Build) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(
        (built.folder / "global-s3-assets/sbom.cdx.json").read_text()
    )
    return loaded


def code(template: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            yield resource["Properties"]["Code"]
        if resource["Type"] == "AWS::Lambda::LayerVersion":
            yield resource["Properties"]["Content"]


def test_the_template_needs_no_bootstrap(built: Build, template: dict[str, Any]) -> None:
    (path,) = built.templates
    assert path.name == "PersonalizedExperiences.template"
    assert not [word for word in BOOTSTRAP if word in path.read_text()]
    assert "Rules" not in template
    assert "BootstrapVersion" not in template["Parameters"]
    assert template["Description"].endswith("(v1.2.3)")


def test_cfn_lint_finds_nothing(built: Build) -> None:
    from cfnlint.api import ManualArgs, lint_file

    ignored = ["W3005", "W3037"]  # each explained in .cfnlintrc.yaml
    matches = lint_file(
        built.templates[0], config=ManualArgs(ignore_checks=ignored, regions=["us-east-1"])
    )
    assert [str(match) for match in matches] == []


def test_every_asset_that_the_template_names_is_there(
    built: Build, template: dict[str, Any]
) -> None:
    named = list(code(template))
    assert len(named) > 10
    assert {json.dumps(one["S3Bucket"]) for one in named} == {
        json.dumps({"Fn::Sub": "films-${AWS::Region}"})
    }
    assert {one["S3Key"] for one in named} == {
        f"personalize/v1.2.3/{path.name}" for path in built.regional
    }


def test_the_assets_are_small_and_their_content_is_known(built: Build) -> None:
    assert {asset.name for asset in built.assets} == set(MOST)
    for asset in built.assets:
        assert asset.zipped < MOST[asset.name], asset.packages
        with zipfile.ZipFile(asset.file) as archive:
            assert asset.unzipped == sum(one.file_size for one in archive.infolist())
    assert LAMBDA.compiled
    assert len(zipped(layer(LAMBDA), SMALL)) < MOST["Libraries"]
    libraries, functions = sorted(built.assets, key=lambda one: -one.zipped)
    assert {"botocore", "boto3", "jsonschema"} <= set(libraries.packages)
    rooms = {"mpe", "mpe/model", "mpe/aws", "mpe/handlers"}
    assert set(functions.packages) == rooms | {"mpe/__pycache__"}


def test_another_build_is_the_same_to_the_byte(built: Build, tmp_path: Path) -> None:
    again = build(RELEASED, APP, tmp_path / "again", target="local")
    files = [*built.shared, *built.regional]
    assert [one.name for one in (*again.shared, *again.regional)] == [one.name for one in files]
    for one in files:
        same = again.folder / one.relative_to(built.folder)
        assert same.read_bytes() == one.read_bytes(), one.name


def test_the_zips_tell_no_time_and_no_order_of_a_disk(built: Build) -> None:
    for path in built.regional:
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
            assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            assert archive.namelist() == sorted(archive.namelist())
            for name in archive.namelist():
                if name.endswith(".pyc"):  # https://docs.python.org/3/library/py_compile.html
                    assert archive.read(name)[4] == 1, f"{name} has a time, not a hash"


def test_the_bill_lists_each_library_as_its_metadata_has_it(bill: dict[str, Any]) -> None:
    listed = {one["name"]: one["version"] for one in bill["components"] if one["type"] == "library"}
    found = {
        one.name.replace("_", "-"): one.version
        for one in distributions(path=[str(layer(LOCAL) / "python")])
    }
    assert len(found) > 10
    assert listed == found
    for one in bill["components"]:
        if one["type"] == "library":
            assert one["purl"] == f"pkg:pypi/{one['name']}@{one['version']}"
            assert one["licenses"], one["name"]
            ((digest,),) = (one["hashes"],)
            assert len(digest["content"]) == 64


def test_the_bill_has_the_archive_of_the_other_architecture() -> None:
    (rpds,) = [one for one in libraries_of(layer(LAMBDA)) if one.others]
    component = component_of(rpds)
    (other,) = component["externalReferences"]
    assert "x86_64" in other["url"]
    assert component["hashes"] != other["hashes"]


def test_the_bill_has_the_hash_of_each_asset(built: Build, bill: dict[str, Any]) -> None:
    listed = {
        one["name"]: one["hashes"][0]["content"]
        for one in bill["components"]
        if one["type"] == "file"
    }
    assert listed == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in built.regional
    }


def test_the_provenance_has_the_hash_of_every_other_file_and_of_the_libraries(
    built: Build, bill: dict[str, Any]
) -> None:
    """In the forms of https://slsa.dev/spec/v1.0/provenance."""
    file = built.folder / "global-s3-assets/provenance.intoto.json"
    said = json.loads(file.read_text())
    assert said["_type"] == "https://in-toto.io/Statement/v1"
    assert said["predicateType"] == "https://slsa.dev/provenance/v1"
    others = {one for one in (*built.shared, *built.regional) if one != file}
    assert {one["name"]: one["digest"]["sha256"] for one in said["subject"]} == {
        one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in others
    }
    definition = said["predicate"]["buildDefinition"]
    assert definition["externalParameters"]["version"] == "v1.2.3"
    libraries = [one for one in definition["resolvedDependencies"] if one["uri"] != "git"]
    known = {one["purl"]: one["hashes"][0] for one in bill["components"] if "purl" in one}
    assert {one["uri"]: one["digest"]["sha256"] for one in libraries} == {
        purl: one["content"] for purl, one in known.items()
    }


def test_the_provenance_has_the_commit_and_whether_there_were_changes_besides(
    app: Callable[..., Path], tmp_path: Path
) -> None:
    def built_from() -> dict[str, Any]:
        made = build(RELEASED, path, tmp_path.with_name(f"{tmp_path.name}-out"))
        said = json.loads((made.folder / "global-s3-assets/provenance.intoto.json").read_text())
        return dict(said["predicate"]["buildDefinition"])

    def git(*arguments: str) -> str:
        own = [
            "-c",
            "user.name=me",
            "-c",
            "user.email=me@example.com",
            "-c",
            "commit.gpgsign=false",
        ]
        command = ["git", "-C", str(tmp_path), *own, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    path = app()
    assert built_from()["resolvedDependencies"] == [], "it is in no repository"
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "-m", "first")
    commit = git("rev-parse", "HEAD")
    said = built_from()
    assert said["resolvedDependencies"] == [{"uri": "git", "digest": {"gitCommit": commit}}]
    assert not said["internalParameters"]["uncommittedChanges"]
    path.write_text(path.read_text() + "\n")
    assert built_from()["internalParameters"]["uncommittedChanges"]


def test_the_bill_refers_to_nothing_that_it_does_not_list(bill: dict[str, Any]) -> None:
    root = bill["metadata"]["component"]["bom-ref"]
    listed = [one["bom-ref"] for one in bill["components"]]
    assert len(set(listed)) == len(listed)
    for one in bill["dependencies"]:
        assert {one["ref"], *one["dependsOn"]} <= {root, *listed}
    needs = {one["ref"].split("@")[0]: one["dependsOn"] for one in bill["dependencies"]}
    assert "pkg:pypi/botocore" in {need.split("@")[0] for need in needs["pkg:pypi/boto3"]}


def test_the_licences_of_all_libraries_are_there_in_words(
    built: Build, bill: dict[str, Any]
) -> None:
    text = (built.folder / "global-s3-assets" / "THIRD-PARTY-LICENSES.txt").read_text()
    for one in bill["components"]:
        if one["type"] == "library":
            assert f"{one['name']} {one['version']}: " in text
    assert text.count("--- ") >= 15
    assert "unknown" not in text.split("\n--- ")[0]
    assert "Permission is hereby granted" in text


def test_each_library_that_has_a_licence_file_has_its_text() -> None:
    place = layer(LOCAL)
    having = {
        file.relative_to(place / "python").parts[0]
        for folder in (place / "python").glob("*.dist-info")
        for file in folder.rglob("*")
        if re.match("licen[cs]e|copying", file.name, re.IGNORECASE) and file.is_file()
    }
    texts = {
        f"{one.name.replace('-', '_')}-{one.version}.dist-info"
        for one in libraries_of(place)
        if any(text.strip() for text in one.texts.values())
    }
    assert len(having) > 10
    assert having <= texts


def test_a_template_that_needs_the_bootstrap_is_refused(
    app: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(ReleaseError, match=r"needs `cdk bootstrap` \(BootstrapVersion\)"):
        build(RELEASED, app('{"Parameters": {"BootstrapVersion": {}}}'), tmp_path / "out")


def test_a_template_that_cloudformation_would_not_read_is_refused(
    app: Callable[..., Path], tmp_path: Path
) -> None:
    long = json.dumps({"Description": "x" * TEMPLATE_BYTES})
    with pytest.raises(ReleaseError, match="1048576 at most"):
        build(RELEASED, app(long), tmp_path / "out")


@pytest.mark.parametrize(
    "place",
    [
        pytest.param({"bucket": "elsewhere"}, id="another-bucket"),
        pytest.param({"key": "f.zip", "bucket": "films"}, id="no-region"),
        pytest.param({"key": "personalize/v1/f.zip"}, id="another-version"),
    ],
)
def test_an_asset_that_would_not_be_found_is_refused(
    app: Callable[..., Path], tmp_path: Path, place: dict[str, str]
) -> None:
    with pytest.raises(ReleaseError, match="not below films-"):
        build(RELEASED, app(**place), tmp_path / "out")


def test_an_earlier_build_is_replaced(app: Callable[..., Path], tmp_path: Path) -> None:
    stale = tmp_path / "out" / "regional-s3-assets" / "stale.zip"
    stale.parent.mkdir(parents=True)
    stale.touch()
    found = build(RELEASED, app(), tmp_path / "out")
    assert [path.name for path in found.regional] == ["f.zip"]
    assert found.assets[0].packages == {"mpe": 6}
