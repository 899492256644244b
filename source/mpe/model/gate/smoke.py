"""Whether a campaign answers well with a new version: purely, from lists before and after.

Offline metrics tell how well a model would have guessed; real lists tell whether it answers at all,
whether it still knows one user from another, and whether it is about the same items as before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import mean, median
from typing import Any

from mpe.model.gate.verdict import Reason, Verdict, Word
from mpe.model.rules import gate as rules
from mpe.model.service.csvs import Head
from mpe.model.service.dialect import Unended, records
from mpe.model.service.expressions import CurrentItem
from mpe.model.service.filters import FilterError, parse
from mpe.model.service.recipes import (
    PERSONALIZED_ACTIONS,
    PERSONALIZED_RANKING,
    POPULAR_ITEMS,
    RELATED_ITEMS,
    USER_SEGMENTATION,
)
from mpe.model.service.schedules import seconds

STRANGER = "mpe-probe-{}"
"""A user or item that no data has: what is new to the service has to be answered as well."""
RANKED = 20
"""How many items are given to be ranked."""
UNPROBED = frozenset({USER_SEGMENTATION})
"""The types of recipes that no campaign answers for."""
UNANSWERED = "no answer"
"""In the place of an error's code, where there was none at all."""
DENIED = frozenset({"AccessDeniedException", "AccessDenied", "ThrottlingException", "Throttling"})
DENIED |= {UNANSWERED}
"""Error codes that tell of us or of the moment, and nothing of the model."""


@dataclass(frozen=True)
class SmokeLimits:
    """What a campaign's lists are held to."""

    probes: int = 20
    """How many requests are made before a move, and again after it."""
    empty: float | None = 0.1
    """The share of lists that may be empty."""
    alike: float | None = 0.5
    """The share of known users who may get one and the same list."""
    overlap: float | None = 0.1
    """The share of a list before that is in the list after, on the average, at least."""
    latency: float | None = None
    """Seconds that the median answer may take; None where nobody asks."""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> SmokeLimits:
        """Read the ``smoke`` of a gate that has been checked."""
        usual = cls()
        return cls(
            given.get("probes", usual.probes),
            given.get("empty", usual.empty),
            given.get("alike", usual.alike),
            given.get("overlap", usual.overlap),
            seconds(given["latency"]) if given.get("latency") else None,
        )


TOLD = "the smoke test "
"""What begins what is told of a campaign's answers."""


@dataclass(frozen=True)
class Probe:
    """One request: for a user or beside an item, maybe of items to be ranked."""

    user: str | None = None
    item: str | None = None
    ranked: tuple[str, ...] = ()
    known: bool = True
    """Whether the data has it."""
    filter: str = ""
    """The ARN of a filter that is asked with it."""

    @property
    def id(self) -> str:
        return self.user or self.item or ""

    def as_dict(self) -> dict[str, Any]:
        """Return what is kept of it, which has no filter."""
        return {key: value for key, value in asdict(self).items() if key != "filter"}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Probe:
        return cls(**{**saved, "ranked": tuple(saved["ranked"])})


@dataclass(frozen=True)
class Answer:
    """What a campaign answered to a probe: a list of ids, or the code of an error."""

    probe: Probe
    items: tuple[str, ...] = ()
    error: str = ""
    seconds: float = 0.0


def probes(recipe: str, heads: Iterable[Head], count: int) -> tuple[Probe, ...]:
    """Return at most so many probes for a type of recipe, from the beginnings of CSVs.

    Half are of the most frequent users, or items, a quarter of the rarest, the rest of nobody.
    """
    users, items = _met(heads)
    found, chosen = (items if recipe == RELATED_ITEMS else users), list[Probe]()
    ordered = [id for id, _ in sorted(found.items(), key=lambda one: (-one[1], one[0]))]
    frequent = ordered[: (count + 1) // 2]
    rare = [one for one in reversed(ordered) if one not in frequent][: count // 4]
    ranked = tuple(sorted(items, key=lambda one: (-items[one], one))[:RANKED])
    if recipe == PERSONALIZED_RANKING and not ranked:
        return ()
    given = ranked if recipe == PERSONALIZED_RANKING else ()
    for id in (*frequent, *rare):
        chosen.append(_probe(recipe, id, given, known=True))
    strangers = 0 if recipe == RELATED_ITEMS else count // 4
    for number in range(strangers):
        chosen.append(_probe(recipe, STRANGER.format(number), given, known=False))
    return tuple(chosen[:count])


def _probe(recipe: str, id: str, ranked: tuple[str, ...], *, known: bool) -> Probe:
    if recipe == RELATED_ITEMS:
        return Probe(item=id, known=known)
    return Probe(user=id, ranked=ranked, known=known)


def _met(heads: Iterable[Head]) -> tuple[Counter[str], Counter[str]]:
    """Count the users and the items of the first rows of some CSVs."""
    users, items = Counter[str](), Counter[str]()
    for head in heads:
        try:
            lines = head.content.decode("utf-8", "ignore").splitlines(keepends=True)
            rows = records(lines, whole=head.whole)
            header = next(rows, None)
            if header is None:
                continue
            places = {name: place for place, name in enumerate(header.cells)}
            user, item = places.get("USER_ID"), places.get("ITEM_ID")
            for row in rows:
                if len(row.cells) != len(header.cells):
                    continue
                if user is not None and row.cells[user]:
                    users[row.cells[user]] += 1
                if item is not None and row.cells[item]:
                    items[row.cells[item]] += 1
        except Unended:
            continue
    return users, items


Found = tuple[Word, Reason]


def judge_lists(
    limits: SmokeLimits,
    recipe: str,
    before: Mapping[str, Sequence[str]],
    after: Sequence[Answer],
) -> Verdict:
    """Return what is thought of a campaign's answers; it is total.

    ``before`` are the lists of the version that it served before, by the probes' ids, and nothing
    where it served none.
    """
    clear = [one for one in after if one.error not in DENIED]
    if not clear:
        why = after[0].error if after else "there was nothing to ask it for."
        return Verdict("inconclusive", (Reason(rules.ANSWERS.id, f"it was not asked: {why}"),))
    found = [
        *_errors(clear),
        *_empty(limits, clear),
        *_alike(limits, recipe, clear),
        *_overlap(limits, before, clear),
        *_slow(limits, clear),
    ]
    broken = tuple(reason for word, reason in found if word == "hold")
    notes = () if before else ("There are no lists of before to compare with.",)
    if len(clear) < len(after):
        notes = (*notes, f"{len(after) - len(clear)} of {len(after)} probes were not answered.")
    return Verdict("hold" if broken else "pass", broken, notes)


def _errors(answers: Sequence[Answer]) -> Iterator[Found]:
    wrong = Counter(one.error for one in answers if one.error)
    if wrong:
        (error, count), *_ = wrong.most_common(1)
        told = f"{sum(wrong.values())} of {len(answers)} probes failed, {count} with {error}."
        yield "hold", Reason(rules.ANSWERS.id, told, "errors", sum(wrong.values()), 0)


def _empty(limits: SmokeLimits, answers: Sequence[Answer]) -> Iterator[Found]:
    fine = [one for one in answers if not one.error]
    if limits.empty is None or not fine:
        return
    share = sum(not one.items for one in fine) / len(fine)
    if share > limits.empty:
        told = f"{share:.0%} of its lists are empty; {limits.empty:.0%} may be."
        yield "hold", Reason(rules.EMPTY.id, told, "empty", share, limits.empty)


def _alike(limits: SmokeLimits, recipe: str, answers: Sequence[Answer]) -> Iterator[Found]:
    """Hold a model that gives everybody the same; where that is its purpose nothing is asked."""
    lists = [one.items for one in answers if one.items and one.probe.known]
    if limits.alike is None or recipe == POPULAR_ITEMS or len(lists) < FEW:
        return
    share = Counter(lists).most_common(1)[0][1] / len(lists)
    if share > limits.alike:
        told = f"{share:.0%} of its lists are one and the same; {limits.alike:.0%} may be."
        yield "hold", Reason(rules.ALIKE.id, told, "alike", share, limits.alike)


FEW = 4
"""Fewer lists than these can be the same by chance."""


def _overlap(
    limits: SmokeLimits, before: Mapping[str, Sequence[str]], answers: Sequence[Answer]
) -> Iterator[Found]:
    shares = [
        len(set(one.items) & set(before[one.probe.id])) / len(set(before[one.probe.id]))
        for one in answers
        if one.items and before.get(one.probe.id)
    ]
    if limits.overlap is None or not shares:
        return
    share = mean(shares)
    if share < limits.overlap:
        told = f"{share:.0%} of what its lists had before is in them; {limits.overlap:.0%} at least"
        yield (
            "hold",
            Reason(rules.OVERLAP.id, f"{told} is wanted.", "overlap", share, limits.overlap),
        )


def _slow(limits: SmokeLimits, answers: Sequence[Answer]) -> Iterator[Found]:
    times = [one.seconds for one in answers if not one.error]
    if limits.latency is None or not times:
        return
    usual = median(times)
    if usual > limits.latency:
        told = f"it answers in {usual:.2f} s; {limits.latency:g} s may pass."
        yield "hold", Reason(rules.SLOW.id, told, "latency", usual, limits.latency)


def askable(recipe: str, filters: Mapping[str, str]) -> Iterator[str]:
    """Yield the names of filters, by their expressions, that a campaign is asked with.

    Those without placeholders, of what its recipe recommends; one that goes by the item, or by the
    user, needs a request that has one
    (https://docs.aws.amazon.com/personalize/latest/dg/filter-expressions.html).
    """
    target = "actionid" if recipe == PERSONALIZED_ACTIONS else "itemid"
    related = recipe == RELATED_ITEMS
    for name, expression in sorted(filters.items()):
        try:
            parsed = parse(expression)
        except FilterError:
            continue
        values = [value for one in parsed.predicates for value in one.values]
        by_item = any(isinstance(value, CurrentItem) for value in values)
        by_user = {section for section, _ in parsed.fields} - {"items", "actions"}
        own = all(one.target.lower() == target for one in parsed.expressions)
        if own and not parsed.parameters and (not by_user if related else not by_item):
            yield name


def with_filters(
    verdict: Verdict, before: Mapping[str, str], after: Sequence[Answer]
) -> tuple[Verdict, tuple[str, ...]]:
    """Return a verdict with what filters answered, and what is to be told of them.

    ``before`` are the errors of filters before the move, empty where they answered. One that failed
    then as well, or was not there, tells nothing of the model; that one lets nothing through for a
    user may be meant, and is told.
    """
    reasons, notes = list[Reason](), list[str]()
    for one in after:
        name = one.probe.filter.rpartition("/")[2]
        if one.error in DENIED:
            notes.append(f"Filter {name} was not asked: {one.error}.")
        elif one.error and before.get(one.probe.filter) == "":
            told = f"the filter {name} fails with {one.error}, and did not before."
            reasons.append(Reason(rules.FILTERED.id, told, name))
        elif one.error:
            notes.append(f"Filter {name} fails with {one.error}, and it did before, or was not.")
        elif not one.items:
            notes.append(f"Filter {name} lets nothing through for {one.probe.id}.")
    word: Word = "hold" if reasons else verdict.word
    kept = verdict.reasons if verdict.word == word else ()
    return Verdict(word, (*kept, *reasons), (*verdict.notes, *notes)), tuple(notes)
