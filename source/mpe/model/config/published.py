"""The published JSON Schema of the config, with the service's own parameters filled in.

``python -m mpe.model.config.published`` writes ``config.schema.json`` anew from botocore's
model, so that editors complete and check every parameter; a test fails when the file is behind.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from mpe.model.config.checks.parameters import FILLED, MADE_UP
from mpe.model.service.operations import (
    ListShape,
    MapShape,
    Shape,
    StringShape,
    StructureShape,
    operation,
)

FILE = Path(__file__).with_name("config.schema.json")
_CREATES = re.compile(r"Parameters of Create(\w+)")
_TYPES = {
    "boolean": "boolean",
    "integer": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
}
_LIMITS = {"string": ("minLength", "maxLength"), "array": ("minItems", "maxItems")}


def published(schema: Any) -> Any:
    """Return a schema whose every ``serviceConfig`` has the parameters of its operation."""
    if isinstance(schema, list):
        return [published(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = _CREATES.match(str(schema.get("description")))
    if found:
        return _parameters(schema, found[1])
    return {key: published(value) for key, value in schema.items()}


def _parameters(schema: dict[str, Any], noun: str) -> dict[str, Any]:
    shape = operation(f"Create{noun}").input_shape
    filled = FILLED.get(noun, frozenset())
    members = {name: one for name, one in shape.members.items() if name not in filled}
    properties = {name: _of(one) for name, one in members.items()}
    if noun == "Schema":  # an Avro schema may be written as an object
        properties["schema"] = {**properties["schema"], "type": ["string", "object"]}
    kept = {key: schema[key] for key in ("title", "description", "type")}
    required = [name for name in shape.required_members if name in members and name not in MADE_UP]
    return {
        **kept,
        "additionalProperties": False,
        "properties": properties,
        **({"required": required} if required else {}),
    }


def _of(shape: Shape) -> dict[str, Any]:
    if isinstance(shape, StructureShape):
        members = {name: _of(one) for name, one in shape.members.items()}
        required = {"required": shape.required_members} if shape.required_members else {}
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": members,
            **required,
        }
    if isinstance(shape, ListShape):
        return {"type": "array", "items": _of(shape.member), **_limits(shape, "array")}
    if isinstance(shape, MapShape):
        return {"type": "object", "additionalProperties": _of(shape.value)}
    if isinstance(shape, StringShape):
        return {
            "type": "string",
            **_limits(shape, "string"),
            **({"enum": shape.enum} if shape.enum else {}),
        }
    kind = _TYPES[shape.type_name]
    named = zip(("minimum", "maximum"), ("min", "max"), strict=True)
    limits = {ours: shape.metadata[theirs] for ours, theirs in named if theirs in shape.metadata}
    return {"type": kind, **limits}


def _limits(shape: Shape, kind: str) -> dict[str, Any]:
    named = zip(_LIMITS[kind], ("min", "max"), strict=True)
    return {ours: shape.metadata[theirs] for ours, theirs in named if theirs in shape.metadata}


def text(schema: Any) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(published(json.loads(FILE.read_text(encoding="utf-8")))), "utf-8")
