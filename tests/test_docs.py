"""What the documents say is so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mpe.cli.main import mpe
from mpe.model.checks import FILLED
from mpe.model.config import parse
from mpe.model.sections import KINDS
from tests.conftest import ROOT

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def commands(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield (*path, name), command


def test_the_first_two_commands_are_demo_and_test() -> None:
    (block, *_) = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block.split("\n") == ["make demo", "make test", ""]


def test_ci_runs_the_readmes_test_command() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text().splitlines()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    named = set(re.findall(r"`?make ([a-z]+)`?", document.read_text()))
    assert named <= targets() | {"it"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
        if "://" not in link:
            assert (document.parent / link).exists(), link


@pytest.mark.parametrize(
    ("path", "command"),
    list(commands(mpe)),
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_every_command_and_option_is_documented(
    path: tuple[str, ...], command: click.Command
) -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    assert f"mpe {' '.join(path)}" in text
    assert command.help
    for parameter in command.params:
        shown = (
            parameter.opts[0]
            if parameter.opts[0].startswith("-")
            else parameter.human_readable_name
        )
        assert shown in text


def test_every_command_that_is_named_exists() -> None:
    known = {" ".join(path) for path, _ in commands(mpe)}
    for document in DOCUMENTS:
        for named in re.findall(r"mpe (local [a-z]+)", document.read_text()):
            assert named in known


def test_every_section_of_the_config_is_documented() -> None:
    text = (ROOT / "docs" / "config.md").read_text()
    schema = json.loads((ROOT / "source/mpe/model/config.schema.json").read_text())
    for section in {*schema["properties"], *KINDS} - {"$schema"}:
        assert f"`{section}" in text, section
    for filled in FILLED["Dataset"] | FILLED["DatasetImportJob"]:
        assert f"`{filled}`" in text


def test_the_examples_are_valid() -> None:
    for path in (ROOT / "examples").glob("*/config.json"):
        assert parse(path.read_text()).notes == ()


def test_the_pins_of_lambda_and_of_development_agree() -> None:
    def pins(path: Path) -> dict[str, str]:
        lines = [line for line in path.read_text().splitlines() if "==" in line]
        return dict(line.lower().replace("_", "-").split("==") for line in lines)

    development = pins(ROOT / "requirements-dev.txt")
    for name, version in pins(ROOT / "source" / "requirements.txt").items():
        assert development[name] == version, name


def test_the_cdks_command_line_is_pinned_and_its_lock_names_no_registry() -> None:
    package = json.loads((ROOT / "package.json").read_text())
    lock = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for name, version in package["devDependencies"].items():
        assert re.fullmatch(r"\d+(\.\d+)+", version), "an exact version"
        assert lock[f"node_modules/{name}"]["version"] == version
    assert all("resolved" not in one for one in lock.values())
    assert all("integrity" in one for name, one in lock.items() if name)
