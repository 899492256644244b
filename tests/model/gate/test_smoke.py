"""Whether a campaign answers well, from its lists alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpe.model.gate.smoke import (
    DENIED,
    Answer,
    Probe,
    SmokeLimits,
    askable,
    judge_lists,
    probes,
    with_filters,
)
from mpe.model.gate.verdict import Verdict
from mpe.model.service.csvs import Head
from mpe.model.service.recipes import (
    PERSONALIZED_ACTIONS,
    PERSONALIZED_RANKING,
    POPULAR_ITEMS,
    RELATED_ITEMS,
    USER_PERSONALIZATION,
)

ROWS = [f"u{user},i{item},1" for user in range(30) for item in range(user + 1)]
CSV = "\n".join(["USER_ID,ITEM_ID,TIMESTAMP", *ROWS]) + "\n"
HEAD = Head("interactions.csv", CSV.encode())
LIMITS = SmokeLimits(latency=1.0)
NAMES = [f"u{number}" for number in range(10)]


def answers(**lists: tuple[str, ...]) -> list[Answer]:
    return [Answer(Probe(user=user), items) for user, items in lists.items()]


GOOD = {name: tuple(f"i{n + k}" for k in range(5)) for n, name in enumerate(NAMES)}


def verdict(after: list[Answer], recipe: str = USER_PERSONALIZATION, **limits: float) -> list[str]:
    found = judge_lists(SmokeLimits(**limits), recipe, GOOD, after)  # type: ignore[arg-type]
    return [one.rule for one in found.reasons]


def test_frequent_rare_and_unknown_users_are_asked_for() -> None:
    found = probes(USER_PERSONALIZATION, [HEAD], 20)
    assert [one.user for one in found[:10]] == [f"u{29 - number}" for number in range(10)]
    assert [one.user for one in found[10:15]] == [f"u{number}" for number in range(5)]
    assert [one.known for one in found] == [True] * 15 + [False] * 5


def test_beside_items_there_are_items() -> None:
    found = probes(RELATED_ITEMS, [HEAD], 8)
    assert [one.item for one in found[:4]] == ["i0", "i1", "i2", "i3"]
    assert all(one.known and one.user is None for one in found)


def test_items_are_given_to_be_ranked() -> None:
    found = probes(PERSONALIZED_RANKING, [HEAD], 4)
    assert {one.ranked for one in found} == {tuple(f"i{number}" for number in range(20))}
    assert probes(PERSONALIZED_RANKING, [], 4) == ()


def test_without_data_only_strangers_are_asked_for() -> None:
    assert [one.known for one in probes(PERSONALIZED_ACTIONS, [], 8)] == [False, False]


def test_what_is_cut_off_or_no_csv_makes_no_probe_of_it() -> None:
    cut = Head("cut.csv", HEAD.content[:40], whole=False)
    assert [one.user for one in probes(USER_PERSONALIZATION, [cut], 8) if one.known] == ["u0"]
    odd = [Head("odd.csv", text) for text in (b'a,"b', b"", b"\n\n", b"\xff\xfe")]
    assert not [one for one in probes(USER_PERSONALIZATION, odd, 8) if one.known]


def test_lists_as_they_should_be_pass() -> None:
    found = judge_lists(LIMITS, USER_PERSONALIZATION, GOOD, answers(**GOOD))
    assert (found.word, found.reasons, found.notes) == ("pass", (), ())


def test_a_probe_that_fails_fails_all() -> None:
    wrong = [*answers(**GOOD), Answer(Probe(user="x"), error="InvalidInputException")]
    assert verdict(wrong) == ["MPE-Q021"]


def test_empty_lists_are_told() -> None:
    assert verdict(answers(**{**GOOD, "u0": (), "u1": ()})) == ["MPE-Q022"]
    assert verdict(answers(**{**GOOD, "u0": ()})) == []


def test_one_list_for_everybody_is_told_unless_that_is_the_purpose() -> None:
    alike = answers(**dict.fromkeys(NAMES, tuple(f"i{n}" for n in range(14))))
    assert verdict(alike) == ["MPE-Q023"]
    assert verdict(alike, POPULAR_ITEMS) == []


def test_that_strangers_get_the_same_is_well() -> None:
    strangers = [Answer(Probe(user=f"x{n}", known=False), GOOD["u0"]) for n in range(50)]
    assert verdict([*answers(**GOOD), *strangers]) == []


def test_wholly_other_lists_are_told() -> None:
    other = {name: tuple(f"film-{one}" for one in items) for name, items in GOOD.items()}
    assert verdict(answers(**other)) == ["MPE-Q024"]
    assert verdict(answers(**other), overlap=0.0) == []


def test_slow_answers_are_told_where_somebody_asks() -> None:
    slow = [Answer(Probe(user=name), items, seconds=2.0) for name, items in GOOD.items()]
    assert verdict(slow) == []
    assert verdict(slow, latency=1.0) == ["MPE-Q025"]


@pytest.mark.parametrize("code", sorted(DENIED))
def test_what_tells_nothing_of_the_model_is_inconclusive(code: str) -> None:
    found = judge_lists(LIMITS, USER_PERSONALIZATION, GOOD, [Answer(Probe(user="u"), error=code)])
    assert found.word == "inconclusive"
    assert code in found.reasons[0].told


def test_nothing_to_ask_for_is_inconclusive() -> None:
    assert judge_lists(LIMITS, USER_PERSONALIZATION, {}, []).word == "inconclusive"


ids = st.text("abc", max_size=2)
lists = st.lists(ids, max_size=4).map(tuple)
codes = st.sampled_from(["", "", "AccessDeniedException", "InvalidInputException"])
made = st.builds(Answer, st.builds(Probe, user=ids), lists, codes, st.floats(0, 9))
kinds = st.sampled_from([USER_PERSONALIZATION, RELATED_ITEMS, POPULAR_ITEMS])


@given(kinds, st.dictionaries(ids, lists), st.lists(made))
def test_whatever_is_answered_there_is_a_verdict(
    recipe: str, before: dict[str, tuple[str, ...]], after: list[Answer]
) -> None:
    found = judge_lists(LIMITS, recipe, before, after)
    assert (found.word == "pass") == (not found.reasons)


USER = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Watch")'
PLAIN = 'INCLUDE ItemID WHERE Items.GENRE IN ("Drama")'
OPEN = "INCLUDE ItemID WHERE Items.GENRE IN ($GENRE)"
BESIDE = "INCLUDE ItemID WHERE Items.GENRE IN (CurrentItem.GENRE)"
ACTION = 'INCLUDE ActionID WHERE Actions.KIND IN ("mail")'
FILTERS = {"user": USER, "plain": PLAIN, "open": OPEN, "beside": BESIDE, "action": ACTION, "no": ""}


@pytest.mark.parametrize(
    ("recipe", "names"),
    [
        (USER_PERSONALIZATION, ["plain", "user"]),
        (PERSONALIZED_RANKING, ["plain", "user"]),
        (RELATED_ITEMS, ["beside", "plain"]),
        (PERSONALIZED_ACTIONS, ["action"]),
    ],
)
def test_a_campaign_is_asked_with_each_filter_that_needs_no_more(
    recipe: str, names: list[str]
) -> None:
    assert list(askable(recipe, FILTERS)) == names


def filtered(error: str = "", items: tuple[str, ...] = (), **before: str) -> tuple[str, str]:
    """Return what is thought, and told, of an answer with a filter."""
    answer = Answer(Probe(user="u1", filter="arn:filter/f"), items, error)
    known = {"arn:filter/f": before["before"]} if before else {}
    verdict, notes = with_filters(Verdict("pass"), known, [answer])
    return verdict.word, " ".join((*(one.told for one in verdict.reasons), *notes))


def test_a_filter_that_fails_since_the_move_fails_the_test() -> None:
    assert filtered("InternalServerException", before="")[0] == "hold"


def test_one_that_failed_before_or_was_not_there_is_told() -> None:
    for before in ({"before": "InvalidInputException"}, {}):
        word, told = filtered("InvalidInputException", **before)
        assert (word, "Filter f fails with InvalidInputException" in told) == ("pass", True)


def test_a_filter_that_lets_nothing_through_is_told_and_fails_nothing() -> None:
    assert filtered(before="") == ("pass", "Filter f lets nothing through for u1.")
    assert filtered(items=("i1",), before="") == ("pass", "")


@pytest.mark.parametrize("code", sorted(DENIED))
def test_a_filter_that_could_not_be_asked_with_is_told(code: str) -> None:
    assert filtered(code, before="")[0] == "pass"


def test_what_a_filter_answers_leaves_the_verdict_on_the_lists() -> None:
    lists = judge_lists(SmokeLimits(), USER_PERSONALIZATION, {}, [])
    answer = Answer(Probe(user="u1", filter="f"), error="InternalServerException")
    assert with_filters(lists, {}, [answer])[0].reasons == lists.reasons
    assert [one.rule for one in with_filters(lists, {"f": ""}, [answer])[0].reasons] == ["MPE-Q029"]
