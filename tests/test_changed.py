from __future__ import annotations

from pathlib import Path

from tests.changed import mirroring
from tests.conftest import ROOT


def test_a_modules_tests_are_those_that_mirror_it() -> None:
    assert "tests/model/plan/test_waits.py" in mirroring(["source/mpe/model/plan/waits.py"])


def test_a_module_without_mirroring_its_own_has_its_rooms() -> None:
    assert "tests/emulator" in mirroring(["source/mpe/emulator/arns.py"])


def test_a_changed_test_is_run_and_one_that_is_gone_is_not() -> None:
    found = mirroring(["tests/cli/test_check.py", "tests/cli/test_gone.py"])
    assert "tests/cli/test_check.py" in found
    assert "tests/cli/test_gone.py" not in found


def test_a_page_is_held_to_what_it_says() -> None:
    assert "tests/test_docs.py" in mirroring(["README.md"])


def test_nothing_that_starts_a_local_cloud_is_run() -> None:
    assert mirroring(["source/mpe/local/cloud.py"]) == ["tests/test_layers.py"]


def test_every_module_is_held_by_something() -> None:
    """But for those of the local cloud and of the packages themselves."""
    source = ROOT / "source" / "mpe"
    for path in sorted(source.glob("*/**/*.py")):
        name = Path(path).relative_to(ROOT).as_posix()
        if "/local/" not in name:
            assert len(mirroring([name])) > 1, name
