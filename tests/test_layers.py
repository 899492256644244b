"""Imports go one way, and functions are short: the rules, enforced."""

from __future__ import annotations

import pytest

from tests.layers import (
    FLOORS,
    MAY_IMPORT,
    SOURCE,
    arrows,
    floors,
    lengths,
    report,
    share_below,
    upstairs,
    wrong,
)


def test_imports_go_one_way() -> None:
    assert list(wrong()) == []


def test_imports_within_the_model_go_one_way() -> None:
    assert list(upstairs()) == []


def test_every_floor_of_the_model_has_its_rule() -> None:
    found = {path.stem for path in (SOURCE / "model").iterdir() if not path.name.startswith("_")}
    assert found == set(FLOORS)


def test_every_room_has_its_rule() -> None:
    rooms = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists()}
    assert rooms == set(MAY_IMPORT)


def test_every_arrow_leads_to_a_lower_floor() -> None:
    for found in (arrows(), arrows(SOURCE / "model", "mpe.model")):
        on = floors(found)
        assert all(on[room] > on[other] for room, others in found.items() for other in others)


def test_a_circle_has_no_floors() -> None:
    with pytest.raises(ValueError, match="a circle: a, b"):
        floors({"a": {"b"}, "b": {"a"}, "c": set()})


def test_functions_are_short() -> None:
    found = lengths(SOURCE.rglob("*.py"))
    assert share_below(found, 90) <= 25
    assert found[0][0] <= 50, found[0][1]


def test_the_graph_names_every_room_and_the_longest_function() -> None:
    told = "\n".join(report())
    assert all(f"  {room}" in told for room in (*MAY_IMPORT, *FLOORS))
    assert lengths(SOURCE.rglob("*.py"))[0][1] in told
