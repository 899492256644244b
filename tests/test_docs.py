"""What the documents say is so."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

from mpe.cli.main import mpe
from mpe.model.config.checks.parameters import FILLED
from mpe.model.config.parse import parse
from mpe.model.config.sections import KINDS
from mpe.release.main import main_group as release
from tests.conftest import ROOT
from tests.reference import PAGES, commands

DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "deployment/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_the_first_two_commands_are_demo_and_test() -> None:
    (block, *_) = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block.split("\n") == ["make demo", "make test", ""]


def test_the_readmes_command_lines_use_no_variable_that_nothing_sets() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(blocks) > 2
    assert [line for block in blocks for line in block.splitlines() if "$" in line] == []


def test_ci_runs_the_readmes_test_command() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text().splitlines()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    named = set(re.findall(r"`?make ([a-z]+)`?", document.read_text()))
    assert named <= targets() | {"it"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
        if "://" not in link:
            assert (document.parent / link).exists(), link


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_reference_is_as_the_code_says(path: Path) -> None:
    """``python -m tests.reference`` writes it anew."""
    assert path.read_text() == PAGES[path]().rstrip() + "\n"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_is_named_exists(document: Path) -> None:
    known = {path for path, _ in commands(mpe)}
    groups = {path[:1] for path in known if len(path) > 1}
    for named in re.findall(r"`mpe ((?:[a-z]+(?:-[a-z]+)* ?)+)", document.read_text()):
        words = tuple(named.split())
        assert words[:1] in known or words[:2] in known or words[:1] in groups, named


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_line_that_is_shown_is_one_that_is_taken(document: Path) -> None:
    known = dict(commands(mpe))
    blocks = re.findall(r"```sh\n(.*?)```", document.read_text(), re.DOTALL)
    for line in "".join(blocks).splitlines():
        if line.startswith("mpe "):
            _, *words = shlex.split(line.partition(" > ")[0])
            called = (tuple(words[:2]), tuple(words[:1]), (words[0], "list"))
            found = next(known[one] for one in called if one in known)
            options = {name for one in found.params for name in one.opts}
            assert {word for word in words if word.startswith("--")} <= options, line


@pytest.mark.parametrize(("path", "command"), list(commands(mpe)), ids=lambda value: str(value))
def test_every_example_of_a_command_is_one_that_it_takes(
    path: tuple[str, ...], command: click.Command
) -> None:
    example = " ".join(str(command.help).partition("Example:")[2].split())
    assert example.startswith(f"mpe {' '.join(path)}"), "each command has an example"
    words = shlex.split(example.partition(" > ")[0])[1 + len(path) :]
    there = str(ROOT / "examples/01-movielens/config.json")  # it need only exist
    args = [there if re.fullmatch(r"\w+\.(json|csv)", one) else one for one in words]
    command.make_context(" ".join(path), args, resilient_parsing=False)


@pytest.mark.parametrize(
    ("path", "command"),
    list(commands(release)),
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_every_option_of_a_release_is_documented(
    path: tuple[str, ...], command: click.Command
) -> None:
    text = (ROOT / "docs" / "release.md").read_text()
    assert f"`{' '.join(path)}`" in text
    assert command.help
    for parameter in command.params:
        for option in parameter.opts:
            assert f"`{option}`" in text


def test_the_command_of_a_release_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"]["build-s3-cdk-dist"] == "mpe.release.main:main"
    assert (ROOT / "deployment" / "build-s3-cdk-dist").stat().st_mode & 0o111


def test_every_section_of_the_config_is_documented() -> None:
    text = (ROOT / "docs" / "config.md").read_text()
    schema = json.loads((ROOT / "source/mpe/model/config/config.schema.json").read_text())
    for section in {*schema["properties"], *KINDS} - {"$schema"}:
        assert f"`{section}" in text, section
    for filled in FILLED["Dataset"] | FILLED["DatasetImportJob"]:
        assert f"`{filled}`" in text


def test_the_examples_are_valid() -> None:
    for path in (ROOT / "examples").glob("*/config.json"):
        assert parse(path.read_text()).notes == ()


def test_the_pins_of_lambda_and_of_development_agree() -> None:
    def pins(path: Path) -> dict[str, str]:
        found = re.findall(r"^([\w.-]+)==([\w.]+)", path.read_text(), re.MULTILINE)
        return {name.lower().replace("_", "-"): version for name, version in found}

    development = pins(ROOT / "requirements-dev.txt")
    assert development
    for name, version in pins(ROOT / "source" / "requirements.txt").items():
        assert development[name] == version, name


@pytest.mark.parametrize("path", ["requirements-dev.txt", "source/requirements.txt"])
def test_every_pin_has_the_hashes_of_its_files(path: str) -> None:
    """That they are right, pip tells where it installs: with --require-hashes in both places."""
    text = re.sub(r"^#.*\n", "", (ROOT / path).read_text(), flags=re.MULTILINE)
    for pin in text.replace("\\\n", "").splitlines():
        version, *hashes = re.split(r"\s+--hash=sha256:", pin)
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; .+)?", version), version
        assert hashes, version
        assert all(re.fullmatch(r"[0-9a-f]{64}", one) for one in hashes), version


def test_the_cdks_command_line_is_pinned_and_its_lock_names_no_registry() -> None:
    package = json.loads((ROOT / "package.json").read_text())
    lock = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for name, version in package["devDependencies"].items():
        assert re.fullmatch(r"\d+(\.\d+)+", version), "an exact version"
        assert lock[f"node_modules/{name}"]["version"] == version
    assert all("resolved" not in one for one in lock.values())
    assert all("integrity" in one for name, one in lock.items() if name)
