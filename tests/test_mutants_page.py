"""The page of mutants is as its generator writes it, and a reason belongs to what survived."""

from __future__ import annotations

import ast
import gc
import importlib
import weakref
from pathlib import Path

import pytest

from tests import mutants
from tests.conftest import ROOT
from tests.mutants import NAMED, PAGE, REASONS, SUITE, Kept, Measured, Named, Survivor, kept, page
from tests.mutating.changes import Change, change, own
from tests.mutating.codes import Loaded
from tests.mutating.lines import Lines
from tests.mutating.trials import put

SAMPLE = "source/mpe/model/plan/owner.py"


def test_the_page_is_as_make_mutants_writes_it() -> None:
    assert PAGE.read_text() == page(kept()), "run `make mutants`"


def test_each_reason_is_of_a_change_that_no_test_notices() -> None:
    survived = {
        f"{module}: {each.text}: {each.operator}"
        for module, one in kept().modules.items()
        for each in one.survivors
    }
    assert REASONS.keys() <= survived


def test_each_change_that_no_test_notices_is_of_the_code_as_it_is() -> None:
    for module, one in kept().modules.items():
        source = "".join((ROOT / module).read_text().split())
        gone = [each for each in one.survivors if "".join(each.text.split()) not in source]
        assert gone == [], f"measure {module} anew"


def test_each_module_and_all_tests_are_there() -> None:
    assert kept().modules.keys() <= set(mutants.modules())
    assert all((ROOT / tests).exists() for tests in SUITE)


@pytest.mark.parametrize("named", NAMED, ids=lambda one: one.what)
def test_each_change_by_hand_is_one_of_the_code_as_it_is(named: Named) -> None:
    source = (ROOT / named.module).read_text()
    assert source.count(named.old) == 1
    assert ast.dump(ast.parse(mutants.by_hand(named).source)) != ast.dump(ast.parse(source))


def test_each_change_by_hand_is_noticed_by_a_test_that_is_there() -> None:
    for named in NAMED:
        test = kept().named[named.what]
        assert test, named.what
        path, _, name = test.partition("::")
        assert f"def {name.partition('[')[0]}(" in (ROOT / path).read_text()


def test_what_was_not_tried_is_not_taken_for_noticed() -> None:
    left = Survivor(1, "a | b", "ReplaceBinaryOperator", "a & b")
    found = {"source/mpe/model/plan/waits.py": Measured("2026-11-28", 100, 10, (left,))}
    text = page(Kept(found))
    assert "| 100 | 10 | 9 | 90.0% | 2026-11-28 |" in text
    assert "`a \\| b`" in text
    assert "**not yet looked at**" in text
    assert "Not measured yet:" in text
    assert "**no test**" in text


SOURCE = """\
def act(turn: int | None) -> None:
    begin(turn, again=True)
    write(turn)
    return None
"""


def test_a_call_an_argument_and_an_order_are_changed() -> None:
    made = {(operator, text.partition("\n")[2]) for operator, _, text in own(SOURCE)}
    rest = "    return None\n"
    assert made == {
        ("LeaveOutCall", f"    pass\n    write(turn)\n{rest}"),
        ("LeaveOutCall", f"    begin(turn, again=True)\n    pass\n{rest}"),
        ("LeaveOutArgument", f"    begin(turn, )\n    write(turn)\n{rest}"),
        ("SwapStatements", f"    write(turn)\n    begin(turn, again=True)\n{rest}"),
    }


def test_a_change_holds_where_the_function_was_imported_by_name(
    tmp_path: Path,
) -> None:
    source = "def two():\n    return 2\n"
    path = tmp_path / "small.py"
    path.write_text(source)
    loaded: dict[str, object] = {}
    exec(compile(source, str(path), "exec"), loaded)
    two = loaded["two"]
    gc.freeze()  # as tests/conftest.py does before the first test
    made = change(str(path), source, source.replace("2\n", "3\n"), "Number", (2, 2))
    put(made, Loaded([str(tmp_path)]))
    assert callable(two)
    assert two() == 3


def test_functions_are_found_beside_a_weak_reference_whose_object_is_gone() -> None:
    class Gone:
        pass

    proxy = weakref.proxy(Gone())
    assert any(one is proxy for one in gc.get_objects())
    Loaded([str(ROOT)])


def test_a_change_says_which_line_becomes_what() -> None:
    said: Change = change(SAMPLE, SOURCE, SOURCE.replace("True", "False"), "Truth", (2, 2))
    assert (said.line, said.text) == (2, "begin(turn, again=True)")
    assert said.becomes == "begin(turn, again=False)"


NOTED = """\
def sign(number):
    if number < 0:
        return -1
    for one in (number, *map(lambda one: one, [])):
        try:
            one = 1 // one
        except ZeroDivisionError:
            return 0
        else:
            return one
"""


def test_the_statements_that_are_run_are_noted_until_it_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "noted"
    folder.mkdir()
    (folder / "small.py").write_text(NOTED)
    monkeypatch.syspath_prepend(tmp_path)
    lines = Lines(tmp_path, [str(folder)])
    sign = importlib.import_module("noted.small").sign
    seen = []
    for number, answer in ((-5, -1), (0, 0), (1, 1)):
        assert sign(number) == answer
        seen.append(lines.taken())
    path = str(folder / "small.py")
    assert seen == [{path: [2, 3]}, {path: [2, 4, 5, 6, 8]}, {path: [2, 4, 5, 6, 10]}]
    lines.end()
    assert sign(1) == 1
    assert lines.taken() == {}
