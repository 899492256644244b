"""Whether data is good enough to be imported: purely, from its profile and an earlier one.

The shift of what is met is the Jensen-Shannon divergence to the base 2, from 0 to 1
(https://en.wikipedia.org/wiki/Jensen-Shannon_divergence), less what it is by chance: two
samples of one distribution differ, by the law of the G-test
(https://en.wikipedia.org/wiki/G-test), by about (k - 1) / (8 ln 2) times (1 / n + 1 / m).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import hypot, log, log2
from statistics import median
from typing import Any

from mpe.model.gate.terms import share
from mpe.model.gate.verdict import Reason, Verdict, Word
from mpe.model.gate.versions import spoken_change
from mpe.model.rules import gate as rules
from mpe.model.service.profile import DatasetProfile, Profile
from mpe.model.service.schedules import seconds

REST = ""
"""What stands for all that is not among the most frequent."""
DAY = 86_400
ENOUGH, RECENT = 3, 30
"""How many increments tell what one is usually like, and of how many at most it is reckoned."""
SERVED, USUAL = "data that is served", "increments before it, by their median"
"""What data is compared with, as it is told."""
ALONE = {
    SERVED: "There is no earlier import to compare it with.",
    USUAL: f"There are fewer than {ENOUGH} increments before it, so that they are not compared.",
}
SURE = 3
"""Standard errors that a limit must be wider than, to be asked of what is estimated."""
Found = tuple[Word, Reason]


@dataclass(frozen=True)
class DataLimits:
    """What an import is held to, against the data that the live versions were trained on."""

    rows: float | None = -0.2
    users: float | None = -0.2
    items: float | None = -0.3
    newest: int | None = None
    """Seconds that the newest event may be old; None where the config does not say."""
    unknown_items: float | None = 0.05
    """The share of events whose item is not among the Items."""
    item_shift: float | None = 0.2
    distinct_times: bool = True

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> DataLimits:
        """Read the ``data`` of a gate that has been checked; what is null is not asked."""
        usual = cls()
        return cls(
            _share(given, "rows", usual.rows),
            _share(given, "users", usual.users),
            _share(given, "items", usual.items),
            seconds(given["newest"]) if given.get("newest") else None,
            given.get("unknownItems", usual.unknown_items),
            given.get("itemShift", usual.item_shift),
            given.get("distinctTimes", usual.distinct_times),
        )


def _share(given: Mapping[str, Any], key: str, usual: float | None) -> float | None:
    if key not in given:
        return usual
    return None if given[key] is None else share(given[key])


def judge_data(
    limits: DataLimits,
    kind: str,
    new: Profile,
    *,
    live: Profile | None,
    now: float | None,
    of: str = SERVED,
) -> Verdict:
    """Return what is thought of the data of a dataset, before it is imported.

    ``live`` is the profile of the data that is served, or what its increments are usually like,
    which ``of`` says; None where there is none to compare with. ``now`` is in seconds since 1970,
    None where nobody asks for its age. It is total.
    """
    found = [*_own(limits, kind, new, now), *_against(limits, kind, new, live, of)]
    broken = tuple(reason for word, reason in found if word == "hold")
    unclear = tuple(reason for word, reason in found if word == "inconclusive")
    notes = () if live else (ALONE[of],)
    if broken:
        return Verdict("hold", broken, notes)
    return Verdict("inconclusive" if unclear else "pass", unclear, notes)


def usual(kind: str, history: Sequence[Profile]) -> Profile | None:
    """Return what an increment is usually like, from those before it, the newest last.

    That are the medians of its counts, or None where there are fewer than :data:`ENOUGH`.
    """
    lately = history[-RECENT:]
    if len(lately) < ENOUGH:
        return None
    rows = round(median(one.rows(kind) or 0 for one in lately))
    return Profile(
        (DatasetProfile(kind, rows, None, ()),),
        users=round(median(one.users for one in lately)),
        items=round(median(one.items for one in lately)),
    )


def not_profiled(why: str) -> Verdict:
    """Return what is thought of data that nobody could count."""
    return Verdict("inconclusive", (Reason(rules.NOT_PROFILED.id, f"it was not judged: {why}"),))


def _own(limits: DataLimits, kind: str, new: Profile, now: float | None) -> Iterator[Found]:
    """Judge data by itself."""
    if kind != "interactions":
        return
    rows = new.rows(kind) or 0
    if limits.distinct_times and rows > 1 and new.oldest == new.newest is not None:
        told = f"all {rows:,} events have one single time, {new.newest}."
        yield "hold", Reason(rules.DISTINCT_TIMES.id, told, "times", 1, 1)
    if limits.newest is not None and now is not None and new.newest is not None:
        age = now - new.newest
        if age > limits.newest:
            told = f"the newest event is {age / DAY:.1f} days old; {limits.newest / DAY:g} may be."
            yield "hold", Reason(rules.NEWEST.id, told, "newest", age, limits.newest)
    if limits.unknown_items is not None and new.unknown_items is not None and rows:
        unknown = new.unknown_items / rows
        if SURE * new.errors.get("events", 0) > limits.unknown_items:
            yield _too_narrow(rules.UNKNOWN_ITEMS.id, "unknown items")
        elif unknown > limits.unknown_items:
            told = f"{unknown:.1%} of the events are of items that are not among the Items."
            yield (
                "hold",
                Reason(rules.UNKNOWN_ITEMS.id, told, "unknown", unknown, limits.unknown_items),
            )


def _against(
    limits: DataLimits, kind: str, new: Profile, live: Profile | None, of: str
) -> Iterator[Found]:
    """Judge data by what was there before."""
    if live is None:
        return
    counts = [("rows", new.rows(kind), live.rows(kind), limits.rows, rules.ROWS)]
    if kind == "interactions":
        counts.append(("users", new.users, live.users, limits.users, rules.USERS))
        counts.append(("items", new.items, live.items, limits.items, rules.ITEMS))
    elif kind in {"users", "items"}:
        own = limits.users if kind == "users" else limits.items
        counts = [(kind, new.rows(kind), live.rows(kind), own, rules.ROWS)]
    for name, count, before, limit, rule in counts:
        if limit is None or count is None or not before:
            continue
        moved = count / before - 1
        if SURE * _error(name, new, live) > -limit:
            yield _too_narrow(rule.id, name)
        elif moved < limit:
            told = (
                f"it has {count:,} {name}, {spoken_change(moved)} against the {before:,} of the "
                f"{of}; down to {spoken_change(limit)} would be well."
            )
            yield "hold", Reason(rule.id, told, name, moved, limit)
    if kind == "interactions" and limits.item_shift is not None:
        yield from _shifted(limits.item_shift, "items", new, live)
        yield from _shifted(limits.item_shift, "event types", new, live)


def _error(what: str, new: Profile, live: Profile) -> float:
    """Return the standard error of a change from one count to another."""
    return hypot(new.errors.get(what, 0), live.errors.get(what, 0))


def _too_narrow(rule: str, what: str) -> Found:
    told = f"the {what} are estimated, not counted, and may be off by more than the limit."
    return "inconclusive", Reason(rule, told, what)


def _shifted(limit: float, what: str, new: Profile, live: Profile) -> Iterator[Found]:
    ours, theirs = _counts(what, new), _counts(what, live)
    if not ours or not theirs:
        return
    moved, chance = divergence(ours, theirs), by_chance(ours, theirs)
    if what == "items":
        chance += sum(_sampled(len(theirs), one.errors.get("events", 0)) for one in (new, live))
    if chance > limit:
        told = f"it has too few rows to tell whether other {what} are met than before."
        yield "inconclusive", Reason(rules.SHIFT.id, told, what)
    elif moved - chance > limit:
        told = (
            f"other {what} are met than in the data that is served: the shift is "
            f"{moved - chance:.2f}, and up to {limit:g} would be well."
        )
        yield "hold", Reason(rules.SHIFT.id, told, what, moved - chance, limit)


def _sampled(kinds: int, error: float) -> float:
    """Return what :func:`by_chance` is of a sample, whose size its error tells: 1 / (2 root n)."""
    return (kinds - 1) / (8 * log(2)) * 4 * error**2


def _counts(what: str, profile: Profile) -> dict[str, int]:
    if what == "items":
        known, total = dict(profile.shares), profile.rows("interactions") or 0
    else:
        known = dict(profile.top("interactions", "EVENT_TYPE"))
        total = sum(known.values())
    rest = total - sum(known.values())
    return {**known, REST: rest} if known and rest > 0 else known


def divergence(new: Mapping[str, int], old: Mapping[str, int]) -> float:
    """Return how far two distributions are from each other: 0 where they are alike, at most 1.

    What the older one does not name is one with its rest: its list may end there.
    """
    counts: dict[str, int] = {}
    for key, count in new.items():
        named = key if key in old else REST
        counts[named] = counts.get(named, 0) + count
    ours, theirs = sum(counts.values()), sum(old.values())
    found = 0.0
    for key in {*counts, *old}:
        a, b = counts.get(key, 0) / ours, old.get(key, 0) / theirs
        middle = (a + b) / 2
        found += sum(p * log2(p / middle) / 2 for p in (a, b) if p)
    return found


def by_chance(new: Mapping[str, int], old: Mapping[str, int]) -> float:
    """Return how far two samples of one distribution are from each other, on average."""
    kinds = len(old)
    return (kinds - 1) / (8 * log(2)) * (1 / sum(new.values()) + 1 / sum(old.values()))
