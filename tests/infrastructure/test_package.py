"""The layer: pinned by hash, small, and with all that the handlers import."""

from __future__ import annotations

import hashlib
import json
import marshal
import re
import subprocess
import sys
import zipfile
from importlib.metadata import distributions
from pathlib import Path

import pytest

from mpe.infrastructure.package import (
    LAMBDA,
    LIBRARIES,
    LOCAL,
    REQUIREMENTS,
    SERVICES,
    PackageError,
    Target,
    code,
    install,
    layer,
)
from tests.conftest import ROOT

HANDLERS = sorted(
    path.stem
    for path in (ROOT / "source" / "mpe" / "handlers").glob("*.py")
    if path.stem != "__init__"
)
LAYER_BYTES = 10_000_000
"""Unzipped and without compiled modules; it had 7.6 MB when this was set. Lambda allows 250 MB.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""


@pytest.fixture(scope="module", params=[LAMBDA, LOCAL], ids=lambda target: target.name)
def built(request: pytest.FixtureRequest) -> tuple[Target, Path]:
    return request.param, layer(request.param)


def wheel(folder: Path, name: str) -> Path:
    """Write the smallest wheel that pip installs."""
    path = folder / f"{name}-1-py3-none-any.whl"
    metadata = f"{name}-1.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", "")
        archive.writestr(
            f"{metadata}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n"
        )
        archive.writestr(f"{metadata}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{metadata}/RECORD", "")
    return path


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    """A file of pins for the wheel in a folder that is all that pip may look at, and its hash."""
    path = wheel(tmp_path, "tiny")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return tmp_path / "requirements.txt", hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_pin_has_the_hashes_of_its_files() -> None:
    pins = re.findall(r"^(\S+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$",
                      REQUIREMENTS.read_text(), re.MULTILINE)  # fmt: skip
    lines = [line for line in REQUIREMENTS.read_text().splitlines() if "==" in line]
    assert len(pins) == len(lines)
    assert all(hashes.count("sha256:") >= 2 for *_, hashes in pins), "a wheel and a source archive"


def test_what_is_installed_is_noted_with_its_hash(pinned: tuple[Path, str], tmp_path: Path) -> None:
    requirements, good = pinned
    requirements.write_text(f"tiny==1 --hash=sha256:{good}\n")
    installed = install(LOCAL, requirements, tmp_path / "layer" / "python")
    assert installed == {
        "tiny": {"version": "1", "archive": "tiny-1-py3-none-any.whl", "sha256": good}
    }
    assert (tmp_path / "layer" / "python" / "tiny.py").exists()


@pytest.mark.parametrize(
    ("pin", "told"),
    [
        pytest.param(f"tiny==1 --hash=sha256:{'0' * 64}", "DO NOT MATCH", id="another-hash"),
        pytest.param("tiny==1", "hash", id="no-hash"),
    ],
)
def test_an_archive_that_is_not_the_pinned_one_is_refused(
    pinned: tuple[Path, str], tmp_path: Path, pin: str, told: str
) -> None:
    requirements, _ = pinned
    requirements.write_text(pin)
    with pytest.raises(PackageError, match=told):
        install(LOCAL, requirements, tmp_path / "layer" / "python")


def test_the_layer_is_small(built: tuple[Target, Path]) -> None:
    _, place = built
    files = [path for path in place.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert 1_000_000 < sum(path.stat().st_size for path in files) < LAYER_BYTES


def test_the_layer_is_of_the_archives_that_it_lists(built: tuple[Target, Path]) -> None:
    _, place = built
    listed = json.loads((place / LIBRARIES).read_text())
    found = {one.name: one.version for one in distributions(path=[str(place / "python")])}
    assert {name: one["version"] for name, one in listed.items()} == found
    pins = REQUIREMENTS.read_text()
    assert all(f"sha256:{one['sha256']}" in pins for one in listed.values())


def test_a_layer_is_compiled_by_this_python_and_tells_nothing_of_this_machine() -> None:
    place = layer(LOCAL)
    modules = list(place.rglob("*.pyc"))
    assert len(modules) == len(list(place.rglob("*.py"))) > 100
    for module in modules:
        found = marshal.loads(module.read_bytes()[16:]).co_filename
        assert found.startswith("/opt/python/"), found


def test_the_layer_has_what_either_of_lambdas_architectures_needs() -> None:
    """https://peps.python.org/pep-3149/ has how the name of an extension tells its machine."""
    modules = {one.name.split(".")[1] for one in layer(LAMBDA).rglob("*.so")}
    assert modules == {"cpython-314-aarch64-linux-gnu", "cpython-314-x86_64-linux-gnu"}
    listed = json.loads((layer(LAMBDA) / LIBRARIES).read_text())
    (rpds,) = [one for one in listed.values() if "others" in one]
    archives = [rpds, *rpds["others"]]
    assert [one["archive"].rsplit("_", 1)[-1] for one in archives] == ["aarch64.whl", "64.whl"]
    assert all(f"sha256:{one['sha256']}" in REQUIREMENTS.read_text() for one in archives)


MAGIC = {(3, 14): 3627}
"""The magic number of a final version's bytecode
(https://github.com/python/cpython/blob/3.14/Include/internal/pycore_magic_number.h)."""


@pytest.mark.parametrize("part", ["layer", "code"])
def test_what_lambda_gets_is_compiled_for_its_own_python(part: str, tmp_path: Path) -> None:
    place = layer(LAMBDA) if part == "layer" else code(LAMBDA, tmp_path)
    modules = list(place.rglob("*.pyc"))
    assert len(modules) == len(list(place.rglob("*.py"))) > 50
    for module in modules:
        head = module.read_bytes()[:16]
        assert int.from_bytes(head[:2], "little") == MAGIC[LAMBDA.python]
        assert head[4] == 1, "a hash that nobody checks, and no time"


def test_code_is_made_anew_where_a_file_of_it_is_another(tmp_path: Path) -> None:
    place = code(LOCAL, tmp_path)
    made = (place / "mpe" / "__init__.py").stat().st_mtime_ns
    assert code(LOCAL, tmp_path) == place
    assert (place / "mpe" / "__init__.py").stat().st_mtime_ns == made


def test_the_licences_stay_in_the_layer(built: tuple[Target, Path]) -> None:
    _, place = built
    for metadata in (place / "python").glob("*.dist-info"):
        assert [*metadata.rglob("LICEN[CS]E*"), *metadata.rglob("COPYING*")], metadata.name


@pytest.mark.parametrize(
    "program",
    [
        pytest.param("\n".join(f"import mpe.handlers.{one}" for one in HANDLERS), id="handlers"),
        pytest.param(
            f"import boto3\nfor one in {sorted(SERVICES)!r}: boto3.client(one)", id="clients"
        ),
    ],
)
def test_the_code_and_the_layer_are_all_that_is_needed(program: str, tmp_path: Path) -> None:
    """Started without the site's packages, so that nothing else is found."""
    places = [str(code(LOCAL, tmp_path)), str(layer(LOCAL) / "python")]
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-B",
            "-c",
            f"import sys; sys.path[:0] = {places!r}\n{program}",
        ],
        env={"AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("settings", "target"),
    [
        ({}, LAMBDA),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, LOCAL),
        ({"AWS_ENDPOINT_URL": "http://localhost:4566"}, LOCAL),
        ({"AWS_ENDPOINT_URL": "https://cloudformation.eu-west-1.amazonaws.com"}, LAMBDA),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "MPE_PACKAGE_TARGET": "lambda"}, LAMBDA),
        ({"MPE_PACKAGE_TARGET": "local"}, LOCAL),
    ],
)
def test_functions_that_will_run_on_this_machine_have_its_libraries(
    settings: dict[str, str], target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ENDPOINT_URL", "MPE_PACKAGE_TARGET"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert Target.from_environment() == target
