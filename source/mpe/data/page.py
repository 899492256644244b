"""A profile as a page that stands alone: a pure function of the profile and of what was found.

Text is escaped, pictures are in the page, each with its table, and nothing is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from html import escape

from mpe.model.errors import Finding
from mpe.model.service.profile import ColumnProfile, DatasetProfile, Profile
from mpe.model.text import plain

WIDTH, HEIGHT = 640, 160
LONGEST = 40
"""Characters in which a value is shown."""
SHOWN = 5
MOST_BARS = 208
MOST_FINDINGS = 200
MUCH = 0.1
"""The share of all rows from which one user's are told."""
WEEK = 7 * 86_400
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = (
    ":root{color-scheme:light dark;--ink:#1d2329;--soft:#5c6670;--line:#d5dae0;--bar:#2f62a8;"
    "--paper:#fff;--bad:#b00020;--odd:#7a5200}"
    "@media (prefers-color-scheme:dark){:root{--ink:#e4e8ec;--soft:#9aa5b1;--line:#3a424b;"
    "--bar:#7db0f5;--paper:#14181c;--bad:#ff8a95;--odd:#f0c060}}"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:66em;margin:2em auto;padding:0 1em;"
    "color:var(--ink);background:var(--paper)}"
    "h1{overflow-wrap:anywhere}h2{margin-top:2em}"
    ".wide{overflow-x:auto;margin:1em 0}table{border-collapse:collapse;min-width:100%}"
    "td,th{padding:.35em .7em;border-bottom:1px solid var(--line);text-align:left;"
    "vertical-align:top}th{white-space:nowrap;font-weight:600}"
    "td.what{min-width:18em}td.value{min-width:7em;max-width:16em;overflow-wrap:break-word}"
    "td.name{white-space:nowrap}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
    "svg{display:block;width:100%;max-width:40em;height:auto}svg text{fill:var(--soft)}"
    "svg rect{fill:var(--bar)}svg polyline{stroke:var(--bar)}svg line{stroke:var(--line)}"
    "summary{color:var(--soft);cursor:pointer}"
    ".error{color:var(--bad)}.warning{color:var(--odd)}"
    "@media print{body{max-width:none;margin:0}.wide{overflow:visible}tr,svg{break-inside:avoid}}"
)


def page(profile: Profile, findings: Sequence[Finding], title: str) -> str:
    """Return the page of a profile, and of what a check found."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{_text(title)}</title><style>{STYLE}</style></head><body>",
        f"<h1>{_text(title)}</h1>",
        *_summary(profile),
        *_findings(findings),
        *_pictures(profile),
        *(part for one in profile.datasets for part in _dataset(one)),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _text(value: str, most: int = 160) -> str:
    return escape(plain(value, most))


def _day(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
    except (ValueError, OverflowError, OSError):
        return str(seconds)


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]], classes: Sequence[str]) -> str:
    """Return a table of cells that are HTML; ``classes`` are those of its columns."""
    head = "".join(f'<th class="{c}">{h}</th>' for h, c in zip(headings, classes, strict=True))
    body = "".join(f"<tr>{_cells(row, classes)}</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def _cells(row: Sequence[str], classes: Sequence[str]) -> str:
    return "".join(f'<td class="{c}">{v}</td>' for v, c in zip(row, classes, strict=True))


def _summary(one: Profile) -> Iterator[str]:
    rows = [(_text(each.kind), f"{each.rows:,} rows") for each in one.datasets]
    if one.users:
        rows.append(("met", f"{one.users:,} users and {one.items:,} items"))
    if one.oldest is not None and one.newest is not None:
        rows += [("oldest event", _day(one.oldest)), ("newest event", _day(one.newest))]
    for count, what in ((one.cold_items, "items"), (one.cold_users, "users")):
        if count is not None:
            rows.append((f"cold {what}", f"{count:,} are described and have no interaction"))
    for count, what in ((one.unknown_items, "items"), (one.unknown_users, "users")):
        if count is not None:
            rows.append(
                (f"unknown {what}", f"{count:,} interactions are with {what} not described")
            )
    yield _table(("", ""), rows, ("name", ""))
    if one.busiest >= MUCH:
        yield f'<p class="warning">One user has {one.busiest:.0%} of all interactions.</p>'


def _pictures(one: Profile) -> Iterator[str]:
    if not one.users:
        return
    steps, told = _by_time(one.weeks)
    yield f"<h2>Interactions by {told}</h2>"
    yield _bars([(_day(at), count) for at, count in steps])
    yield "<h2>Users by their interactions</h2>"
    yield _bars(list(one.activity.items()), every=True)
    yield "<h2>Popularity</h2>"
    yield "<p>The share of all interactions that the most popular items have.</p>"
    yield _curve(one.popularity)


def _by_time(weeks: Sequence[tuple[int, int]]) -> tuple[list[tuple[int, int]], str]:
    """Return a bar for each week, also for those without events, or for several where many."""
    if not weeks:
        return [], "week"
    first, span = weeks[0][0], (weeks[-1][0] - weeks[0][0]) // WEEK + 1
    each = -(-span // MOST_BARS)
    counts = [0] * (-(-span // each))
    for week, count in weeks:
        counts[(week - first) // WEEK // each] += count
    steps = [(first + place * each * WEEK, count) for place, count in enumerate(counts)]
    return steps, "week" if each == 1 else f"{each:,} weeks"


def _bars(counted: Sequence[tuple[str, int]], *, every: bool = False) -> str:
    """Draw a bar for each count; the first and the last label, or every one, stand below."""
    most = max((count for _, count in counted), default=0) or 1
    step = WIDTH / max(len(counted), 1)
    drawn = "".join(
        f'<rect x="{n * step + step * 0.1:.1f}" y="{HEIGHT - HEIGHT * count / most:.1f}" '
        f'width="{step * 0.8:.2f}" height="{HEIGHT * count / most:.1f}">'
        f"<title>{_text(label)}: {count:,}</title></rect>"
        for n, (label, count) in enumerate(counted)
        if count
    )
    told = "".join(
        f'<text x="{x:.1f}" y="{HEIGHT + 20}" font-size="13" text-anchor="{anchor}">'
        f"{_text(label)}</text>"
        for label, x, anchor in _labels([label for label, _ in counted], step, every)
    )
    rows = [(_text(label), f"{count:,}") for label, count in counted if count or every]
    picture = _svg(f'{drawn}{told}<text x="0" y="-8" font-size="13">most: {most:,}</text>')
    return picture + _behind(_table(("", "how many"), rows, ("name", "n")))


def _labels(labels: Sequence[str], step: float, every: bool) -> Iterator[tuple[str, float, str]]:
    if every:
        yield from ((label, (n + 0.5) * step, "middle") for n, label in enumerate(labels))
    elif labels:
        yield labels[0], 0.0, "start"
        if len(labels) > 1:
            yield labels[-1], WIDTH, "end"


def _curve(shares: Sequence[float]) -> str:
    count = max(len(shares), 1)
    points = " ".join(
        f"{WIDTH * (n + 1) / count:.1f},{HEIGHT * (1 - one):.1f}" for n, one in enumerate(shares)
    )
    picture = _svg(
        f'<polyline points="0,{HEIGHT} {points}" fill="none" stroke-width="2"/>'
        f'<line x1="0" y1="{HEIGHT}" x2="{WIDTH}" y2="0" stroke-dasharray="4"/>'
        f'<text x="0" y="{HEIGHT + 20}" font-size="13">the most popular item</text>'
        f'<text x="{WIDTH}" y="{HEIGHT + 20}" font-size="13" text-anchor="end">all items</text>'
        '<text x="0" y="-8" font-size="13">100% of the interactions</text>'
    )
    tenths = sorted({max(1, count * n // 10) for n in range(1, 11)}) if shares else []
    rows = [(f"{n / count:.0%}", f"{shares[n - 1]:.1%}") for n in tenths]
    headings = ("of the items", "of the interactions")
    return picture + _behind(_table(headings, rows, ("n", "n")))


def _behind(table: str) -> str:
    return f"<details><summary>The figures</summary>{table}</details>"


def _svg(inner: str) -> str:
    return (
        f'<svg role="img" viewBox="-4 -24 {WIDTH + 8} {HEIGHT + 52}">'
        f'<line x1="0" y1="{HEIGHT}" x2="{WIDTH}" y2="{HEIGHT}"/>{inner}</svg>'
    )


def _findings(findings: Sequence[Finding]) -> Iterator[str]:
    yield "<h2>Findings</h2>"
    if not findings:
        yield "<p>None.</p>"
        return
    rows = [
        (
            f'<span class="{one.severity}">{one.severity}</span>',
            escape(f"{one.message} {one.remedy}".strip()),
            f"{one.count:,}",
            _text(one.file, 80),
            _text(one.rule),
        )
        for one in findings[:MOST_FINDINGS]
    ]
    classes = ("name", "what", "n", "value", "name")
    yield _table(("", "what", "count", "file", "rule"), rows, classes)
    if len(findings) > MOST_FINDINGS:
        yield f"<p>And {len(findings) - MOST_FINDINGS:,} more: see mpe check-data.</p>"


def _dataset(one: DatasetProfile) -> Iterator[str]:
    yield f"<h2>{_text(one.kind)}: {one.rows:,} rows</h2>"
    if one.duplicates:
        yield f'<p class="warning">Rows that were there before: {one.duplicates:,}.</p>'
    headings = ("column", "filled", "distinct", "from", "to", "most frequent")
    classes = ("", "n", "n", "value", "value", "what")
    yield _table(headings, [_column(each, one.rows) for each in one.columns], classes)


def _column(one: ColumnProfile, rows: int) -> tuple[str, ...]:
    share = one.filled / rows if rows else 0.0
    top = ", ".join(f"{_text(value, LONGEST)}&nbsp;({n:,})" for value, n in one.top[:SHOWN])
    if len(one.top) > 1 and one.top[0][1] == 1:
        top = "each is there once"
    least, most = (_text(each, LONGEST) for each in (one.least, one.most))
    called = _text(one.name, 63).replace("_", "_<wbr>")
    return called, f"{share:.1%}", f"{one.distinct:,}", least, most, top
