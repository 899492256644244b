"""What is kept says what one must know to read it, and is read by each release that knows it."""

from __future__ import annotations

from typing import Any

import pytest

from mpe.model.errors import NewerForm
from mpe.model.plan.forms import Form

FORM = Form(
    "the row",
    "write it again",
    (lambda saved: {**saved, "one": 1}, lambda saved: {**saved, "two": 2}),
    needs=1,
)


def mark(version: int, needs: int, release: str = "another") -> dict[str, Any]:
    return {"version": version, "needs": needs, "release": release}


def test_what_a_former_release_wrote_gets_the_steps_that_it_lacks_and_our_mark() -> None:
    assert FORM.read({}) == {"one": 1, "two": 2, "form": FORM.mark}
    assert FORM.read({"form": mark(1, 0)}) == {"two": 2, "form": FORM.mark}
    assert FORM.read({"form": mark(2, 1)}) == {"form": FORM.mark}
    assert FORM.read({"form": "a user's own"}) == {"one": 1, "two": 2, "form": FORM.mark}


def test_what_a_newer_release_wrote_for_us_too_is_read_as_it_is_and_keeps_its_mark() -> None:
    saved = {"form": mark(3, 2), "three": 3}
    assert FORM.readable(saved)
    assert FORM.read(saved) == saved


def test_what_one_must_know_more_for_is_refused_with_what_to_do() -> None:
    with pytest.raises(NewerForm) as caught:
        FORM.read({"record": "import", "form": mark(4, 3, "9.1.0")})
    told = str(caught.value)
    assert "the row import was written by release 9.1.0 in form 3" in told
    assert "reads up to form 2" in told
    assert told.endswith("Deploy release 9.1.0 or a newer one again, or write it again.")
