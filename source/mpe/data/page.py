"""A profile as a page that stands alone: text is escaped, pictures are in the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape

from mpe.model.errors import Finding
from mpe.model.service.profile import DatasetProfile, Profile
from mpe.model.text import plain

WIDTH, HEIGHT = 640, 160
LONGEST = 60
MUCH = 0.1
"""The share of all rows from which one user's are told."""
STYLE = (
    "body{font:15px system-ui,sans-serif;max-width:64em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:1em 0;width:100%}"
    "td,th{padding:.3em .6em;border-bottom:1px solid #ddd;text-align:left;vertical-align:top;"
    "overflow-wrap:anywhere}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
    "svg{max-width:100%;height:auto}.error{color:#b00020}.warning{color:#8a5a00}"
)


def page(profile: Profile, findings: Sequence[Finding], title: str) -> str:
    """Return the page of a profile, and of what a check found."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        f"<title>{_text(title)}</title><style>{STYLE}</style></head><body>",
        f"<h1>{_text(title)}</h1>",
        *_summary(profile),
        *_findings(findings),
        *(part for one in profile.datasets for part in _dataset(one)),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _text(value: str) -> str:
    return escape(plain(value, LONGEST * 4))


def _day(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
    except (ValueError, OverflowError, OSError):
        return str(seconds)


def _summary(one: Profile) -> Iterator[str]:
    if not one.users:
        return
    figures = [f"{one.users:,} users and {one.items:,} items met"]
    if one.oldest is not None and one.newest is not None:
        figures.append(f"from {_day(one.oldest)} to {_day(one.newest)}, the newest event")
    for count, what in ((one.cold_items, "items"), (one.cold_users, "users")):
        if count is not None:
            figures.append(f"{count:,} {what} described and without an interaction")
    yield f"<p>{'; '.join(figures)}.</p>"
    if one.busiest >= MUCH:
        yield f'<p class="warning">One user has {one.busiest:.0%} of all interactions.</p>'
    yield "<h2>Interactions by week</h2>"
    labels = [_day(week) for week, _ in one.weeks]
    yield _bars(labels, [count for _, count in one.weeks])
    yield "<h2>Users by their interactions</h2>"
    yield _bars(list(one.activity), list(one.activity.values()), every=True)
    yield "<h2>Popularity</h2>"
    yield "<p>The share of all interactions that the most popular items have.</p>"
    yield _curve(one.popularity)


def _bars(labels: Sequence[str], counts: Sequence[int], *, every: bool = False) -> str:
    """Draw a bar for each count; the first and the last label, or every one, stand below."""
    most, step = max(counts, default=0) or 1, WIDTH / max(len(counts), 1)
    drawn = "".join(
        f'<rect x="{n * step + step * 0.1:.1f}" y="{HEIGHT - HEIGHT * count / most:.1f}" '
        f'width="{step * 0.8:.2f}" height="{HEIGHT * count / most:.1f}" fill="#3367b0">'
        f"<title>{_text(label)}: {count:,}</title></rect>"
        for n, (label, count) in enumerate(zip(labels, counts, strict=True))
    )
    ends = {0: "start", len(labels) - 1: "end"}
    told = "".join(
        f'<text x="{_place(n, step, len(labels), every):.1f}" y="{HEIGHT + 18}" font-size="12" '
        f'text-anchor="{"middle" if every else ends[n]}">{_text(label)}</text>'
        for n, label in enumerate(labels)
        if every or n in ends
    )
    return _svg(f'{drawn}{told}<text x="0" y="-6" font-size="12">most: {most:,}</text>')


def _place(number: int, step: float, count: int, every: bool) -> float:
    if every:
        return (number + 0.5) * step
    return 0.0 if number == 0 else WIDTH


def _curve(shares: Sequence[float]) -> str:
    count = max(len(shares), 1)
    points = " ".join(
        f"{WIDTH * (n + 1) / count:.1f},{HEIGHT * (1 - one):.1f}" for n, one in enumerate(shares)
    )
    return _svg(
        f'<polyline points="0,{HEIGHT} {points}" fill="none" stroke="#3367b0" stroke-width="2"/>'
        f'<line x1="0" y1="{HEIGHT}" x2="{WIDTH}" y2="0" stroke="#bbb" stroke-dasharray="4"/>'
        f'<text x="0" y="{HEIGHT + 18}" font-size="12">the most popular item</text>'
        f'<text x="{WIDTH}" y="{HEIGHT + 18}" font-size="12" text-anchor="end">all items</text>'
        '<text x="0" y="-6" font-size="12">100% of the interactions</text>'
    )


def _svg(inner: str) -> str:
    return (
        f'<svg role="img" viewBox="-4 -22 {WIDTH + 8} {HEIGHT + 48}" width="{WIDTH}">'
        f'<line x1="0" y1="{HEIGHT}" x2="{WIDTH}" y2="{HEIGHT}" stroke="#888"/>{inner}</svg>'
    )


def _findings(findings: Sequence[Finding]) -> Iterator[str]:
    yield "<h2>Findings</h2>"
    if not findings:
        yield "<p>None.</p>"
        return
    yield "<table><tr><th></th><th>file</th><th class=n>count</th><th>what</th></tr>"
    for one in findings:
        what = escape(f"{one.message} {one.remedy}".strip())
        yield (
            f"<tr class={one.severity}><td>{one.severity}</td><td>{escape(one.file)}</td>"
            f"<td class=n>{one.count:,}</td><td>{what}</td></tr>"
        )
    yield "</table>"


def _dataset(one: DatasetProfile) -> Iterator[str]:
    yield f"<h2>{_text(one.kind)}: {one.rows:,} rows</h2>"
    if one.duplicates:
        yield f'<p class="warning">{one.duplicates:,} rows were there before.</p>'
    yield (
        "<table><tr><th>column</th><th class=n>filled</th><th class=n>distinct, about</th>"
        "<th>from</th><th>to</th><th>most frequent</th></tr>"
    )
    for column in one.columns:
        share = column.filled / one.rows if one.rows else 0.0
        top = ", ".join(f"{escape(plain(v, LONGEST))} ({n:,})" for v, n in column.top)
        least, most = (escape(plain(each, LONGEST)) for each in (column.least, column.most))
        yield (
            f"<tr><td>{_text(column.name)}</td><td class=n>{share:.1%}</td>"
            f"<td class=n>{column.distinct:,}</td><td>{least}</td><td>{most}</td>"
            f"<td>{top}</td></tr>"
        )
    yield "</table>"
