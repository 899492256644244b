"""What contributors are given works: hooks, workflow, templates and the list of commands."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from pre_commit.clientlib import load_config

from tests.conftest import ROOT

HOOKS = ROOT / ".pre-commit-config.yaml"
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"


def test_pre_commit_reads_the_hooks_and_fetches_nothing() -> None:
    """pre-commit's own reader judges the file."""
    config: Any = load_config(str(HOOKS))
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    for hook in config["repos"][0]["hooks"]:
        assert hook["language"] == "unsupported"  # as it calls "system": what is there is run
        assert "additional_dependencies" not in hook or not hook["additional_dependencies"]


def test_every_hook_runs_a_tool_that_the_make_file_installs() -> None:
    pinned = re.findall(r"^([\w.-]+)==", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE)
    for hook in load_config(str(HOOKS))["repos"][0]["hooks"]:
        tool, *words = shlex.split(hook["entry"])
        assert tool.startswith(".venv/bin/")
        name = tool.removeprefix(".venv/bin/")
        assert name in {*pinned, "python"}
        if words[:1] == ["-m"]:
            assert (ROOT / (words[1].replace(".", "/") + ".py")).exists()


def test_the_workflow_runs_what_ci_runs_and_pins_every_action_by_its_commit() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text())
    (job,) = workflow["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert used
    assert all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", one) for one in used)
    assert workflow["permissions"] == {"contents": "read"}


def test_the_workflow_tries_the_oldest_python_and_lambdas() -> None:
    (job,) = yaml.safe_load(WORKFLOW.read_text())["jobs"].values()
    project = (ROOT / "pyproject.toml").read_text()
    (oldest,) = re.findall(r'^requires-python = ">=([\d.]+)"', project, re.MULTILINE)
    functions = (ROOT / "source" / "mpe" / "infrastructure" / "functions.py").read_text()
    (lambdas,) = re.findall(r"Runtime\.PYTHON_(\d+_\d+)", functions)
    assert job["strategy"]["matrix"]["python"] == [oldest, lambdas.replace("_", ".")]


def test_make_lets_python_keep_what_it_compiles(tmp_path: Path) -> None:
    """Containers set a variable against it, by which each process compiles everything anew."""
    (tmp_path / "Makefile").write_text(f"include {ROOT}/Makefile\ntold:\n\t@env\n")
    told = subprocess.run(
        ["make", "-f", str(tmp_path / "Makefile"), "told"],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "KEPT": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert "KEPT=1" in told
    assert not [line for line in told if line.startswith("PYTHONDONTWRITEBYTECODE")]


@pytest.mark.parametrize("name", ["bug.md", "wish.md"])
def test_an_issue_template_has_what_github_asks_for(name: str) -> None:
    """https://docs.github.com/communities/using-templates-to-encourage-useful-issues-and-pull-requests"""
    text = (ROOT / ".github" / "ISSUE_TEMPLATE" / name).read_text()
    _, head, body = text.split("---\n", 2)
    assert {"name", "about"} <= yaml.safe_load(head).keys()
    assert body.strip()


def test_the_dev_container_makes_what_make_needs() -> None:
    folder = ROOT / ".devcontainer"
    container = json.loads((folder / "devcontainer.json").read_text())
    image = (folder / container["build"]["dockerfile"]).read_text()
    assert {"git", "make", "python3", "python3-venv"} <= set(image.split())
    assert re.search(r"^FROM node:\d+\.\d+\.\d+-", image, re.MULTILINE)
    (target,) = re.findall(r"^make (\w+)$", container["postCreateCommand"])
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def targets(path: Path) -> set[str]:
    return set(re.findall(r"^([a-z]+):", path.read_text(), re.MULTILINE))


def test_the_list_of_commands_names_every_target() -> None:
    listed = re.findall(r"^\| `make ([a-z]+)", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(targets(ROOT / "Makefile"))
