"""Every difference names the test that tells when it is gone, and AWS's own page."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from mpe.local.ministack import differences
from mpe.local.ministack.difference import Difference
from mpe.local.ministack.differences import BY_SERVICE

HERE = Path(__file__).parent
DIFFERENCES = [one for those in BY_SERVICE.values() for one in those]


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda one: one.test.rpartition("::")[2])
def test_a_difference_is_tried_with_ministack_alone(difference: Difference) -> None:
    file, _, name = difference.test.partition("::")
    tree = ast.parse((HERE / file).read_text())
    assert name in {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}
    assert name.startswith("test_alone_")


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda one: one.test.rpartition("::")[2])
def test_a_difference_has_its_page(difference: Difference) -> None:
    assert difference.page is None or difference.page.startswith("https://docs.aws.amazon.com/")


def test_every_module_with_differences_is_listed() -> None:
    source = Path(differences.__file__).parent
    having = {path.stem for path in source.glob("*.py") if "\nDIFFERENCES = " in path.read_text()}
    assert len(having) == len(BY_SERVICE)
