"""The reports of a metric attribution on what an import job brought.

https://docs.aws.amazon.com/personalize/latest/dg/metric-attribution-results-s3.html has the
name of the file, its columns and the quarters of an hour.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mpe.emulator.resources.files import write
from mpe.emulator.state import Resource, World

COLUMNS = (
    "METRIC_NAME",
    "EVENT_TYPE",
    "VALUE",
    "MATH_FUNCTION",
    "EVENT_ATTRIBUTION_SOURCE",
    "TIMESTAMP",
)
QUARTER = 15 * 60
SUM = re.compile(r"SUM\((Interactions|Items)\.(\w+)\)", re.IGNORECASE)
Row = Mapping[str, Any]


def publish(world: World, group: str, mode: str, rows: Iterable[Row]) -> None:
    """Write the reports of a group's attributions, each where it is to be."""
    rows = list(rows)
    for attribution in world.of("MetricAttribution", datasetGroupArn=group):
        config = attribution.fields["metricsOutputConfig"]
        target = config.get("s3DataDestination")
        if target:
            now = int(world.now.timestamp())
            name = f"AggregatedAttributionMetrics - {mode} - {now}.csv"
            body = _report(attribution, rows, _items(world, group))
            write(world, f"{target['path'].rstrip('/')}/{name}", body, config["roleArn"])


def _items(world: World, group: str) -> Mapping[str, Row]:
    for dataset in world.of("Dataset", datasetGroupArn=group, datasetType="ITEMS"):
        if dataset.data:
            return dataset.data.rows
    return {}


def _report(attribution: Resource, rows: list[Row], items: Mapping[str, Row]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for metric in attribution.fields["metrics"]:
        writer.writerows(_lines(metric, rows, items))
    return text.getvalue()


def _lines(metric: Row, rows: list[Row], items: Mapping[str, Row]) -> Iterator[tuple[Any, ...]]:
    """Yield a metric's lines: a value for each source and quarter of an hour."""
    wanted, summed = metric["eventType"].lower(), SUM.fullmatch(metric["expression"])
    values: Counter[tuple[str, int]] = Counter()
    for row in rows:
        if str(row.get("EVENT_TYPE") or "").lower() == wanted:
            source = row.get("EVENT_ATTRIBUTION_SOURCE") or ""
            quarter = row["TIMESTAMP"] // QUARTER * QUARTER
            values[source, quarter] += _value(summed, row, items)
    function = "sum" if summed else "samplecount"
    for (source, quarter), value in sorted(values.items()):
        yield metric["metricName"], metric["eventType"], float(value), function, source, quarter


def _value(summed: re.Match[str] | None, row: Row, items: Mapping[str, Row]) -> Any:
    """Return what one event adds to a metric: 1, or a column's value of it or of its item."""
    if not summed:
        return 1
    of, column = summed[1].lower(), summed[2].upper()
    found = row if of == "interactions" else items.get(row["ITEM_ID"], {})
    value = found.get(column)
    return value if isinstance(value, int | float) else 0
