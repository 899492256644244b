"""The reference pages of the docs: ``python -m tests.reference`` writes them.

The page of commands is made from the commands themselves, that of the config from its
published JSON Schema, that of MiniStack from what is made good; a test fails when either is behind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import click

from mpe.cli.main import mpe
from mpe.cli.outline import OUTLINES, described
from mpe.local.ministack.difference import Difference
from mpe.local.ministack.differences import BY_SERVICE
from mpe.model.rules.catalogue import ALL, RETIRED, SUBJECTS, rules_of
from mpe.model.rules.record import OURS
from tests.conftest import ROOT

CLI = ROOT / "docs" / "cli.md"
MINISTACK = ROOT / "docs" / "ministack.md"
CONFIG = ROOT / "docs" / "config-reference.md"
RULES = ROOT / "docs" / "rules.md"
API = "https://docs.aws.amazon.com/personalize/latest/dg/API_{}.html"
SHARED = ("stack", "profile", "region", "endpoint_url")
"""The options that say where the stack is."""

CLI_HEAD = """# The `mpe` command

Made from the commands by `python -m tests.reference`. `mpe COMMAND --help` says the same.

`mpe --debug ...` shows the stack trace of an error, `mpe --version` the version. Output is plain
where it does not go to a terminal, and without colours where `NO_COLOR` is set.

Commands about a stack take these options, left out below:

| option | |
|---|---|
| `--stack NAME` | the stack, `PersonalizedExperiences` unless told otherwise |
| `--profile NAME`, `--region NAME` | the AWS profile and region |
| `--endpoint-url URL` | another endpoint than AWS's: the local cloud's |

`MPE_STACK`, `MPE_PROFILE`, `MPE_REGION` and `MPE_ENDPOINT_URL` say the same for all commands, and
so does `mpe.toml` in the folder that you are in, or above it; an option wins over both:

```toml
stack = "Films"
region = "eu-west-1"
profile = "films"
```

Where none of these, nor the SDK's own settings, names an account, and the SDK finds no credentials,
a local cloud that runs is asked, and it is told.

With `--output json` standard output has one JSON document and nothing else, also where a command
fails: `{"error": ..., "exit_code": ...}`. Times are as ISO 8601 has them, a resource's type is
`resource`, and what is told meanwhile goes to standard error.

## Exit codes

| code | means |
|---|---|
| 0 | done; for `plan`: there is nothing to do |
| 1 | failed, or problems were found (warnings of `check-data` alone are none); the reason is told |
| 2 | wrong usage; for `plan`: there are changes; for `status --exit-code`: not all is well |
| 3 | `local status` and `local down`: nothing is running there |
| 4 | `watch` and `apply --watch`: the link was lost; the run goes on |
| 130 | interrupted; for `apply` and `watch` the run goes on |

## What a plan says

```
^ s3://bucket/train/films/items.csv         would be uploaded (mpe apply)
+ Campaign films-live                       would be created
~ Campaign films-live                       would be updated; each field with its old and new value
= Solution films                            is as the config says
. SolutionVersion films                     is under way: the run would wait for it
! Solution films                            differs in a field that the service cannot change
```

`mpe plan` uses the functions that the run itself uses, reads the stack's outputs to find the
bucket, and changes nothing.
"""
RULES_HEAD = """# Rules

Made from the records in `source/mpe/model/rules/` by `python -m tests.reference`. These {count}
rules are what a config and its data are held to. `mpe validate`, `mpe plan`, `mpe check-data` and
the mails name the rule behind each text, in brackets; JSON has it as `rule`.

An **error** starts nothing, or would fail an import. A **warning** is told, and does no more; a
config switches it off with `"ignore": ["MPE-T005"]` at its root. An error cannot be ignored, and an
id that is none is told. Ids are never given to another rule.
"""
CONFIG_HEAD = """# Config reference

Made from `source/mpe/model/config/config.schema.json` by
`python -m tests.reference`. [The config file](config.md) tells what each section does.
What a parameter of the service means stands in the service's own reference, to which each
section links; types and limits below are those of its model.
"""


def commands(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield (*path, name), command


def cli_page() -> str:
    parts = [CLI_HEAD, *(_command(path, one) for path, one in commands(mpe))]
    return "\n".join(parts)


def _command(path: tuple[str, ...], command: click.Command) -> str:
    name = f"mpe {' '.join(path)}"
    arguments = [one for one in command.params if isinstance(one, click.Argument)]
    words = [one.make_metavar(click.Context(command)) for one in arguments]
    options = [
        one for one in command.params if isinstance(one, click.Option) and one.name not in SHARED
    ]
    usage = " ".join([name, *words, *(["[OPTIONS]"] if options else [])])
    lines = [f"## `{name}`", "", "```", usage, "```", "", *_prose(command.help or "")]
    if options:
        lines += ["| option | |", "|---|---|", *(_option(one) for one in options), ""]
    return "\n".join(lines)


def _prose(text: str) -> Iterator[str]:
    """Yield a command's help, with its example as code."""
    prose, _, example = text.partition("Example:")
    yield " ".join(prose.split())
    yield ""
    if example:
        yield from ("```sh", " ".join(example.split()), "```", "")


def _option(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    kind = ""
    if isinstance(option.type, click.Choice):
        kind = " " + " \\| ".join(f"`{one}`" for one in option.type.choices)
    elif not option.is_flag:
        kind = f" `{_bare(option.make_metavar(click.Context(mpe)))}`"
    told = (option.help or "").rstrip(".")
    if option.show_default and option.default not in (None, False, ()):
        told += f"; `{option.default}` unless told otherwise"
    many = "; may be repeated" if option.multiple else ""
    return f"| {names}{kind} | {told}{many} |"


def _bare(metavar: str) -> str:
    """Return what stands for a value without the brackets around the whole of it."""
    whole = re.fullmatch(r"\[([^][]*)\]|<([^<>]*)>", metavar)
    return (whole[1] or whole[2]) if whole else metavar


def config_page() -> str:
    schema = json.loads((ROOT / "source/mpe/model/config/config.schema.json").read_text())
    parts = [CONFIG_HEAD]
    for place, section in _sections(schema, schema, "$"):
        parts.append(_section(place, _whole(schema, section)))
    return "\n".join(parts)


def _sections(whole: Any, schema: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Yield every object that has a serviceConfig or a workflowConfig, with its place."""
    schema = _resolved(whole, schema)
    if schema.get("type") == "array":
        yield from _sections(whole, schema["items"], f"{place}[]")
        return
    own = schema.get("properties", {})
    if place == "$" or {"serviceConfig", "workflowConfig"} & set(own):
        yield place, {**schema, "properties": own}
    for name, inner in own.items():
        if name not in {"serviceConfig", "workflowConfig", "tags"} and not name.startswith("$"):
            yield from _sections(whole, inner, f"{place}.{name}")


def _resolved(whole: Any, schema: Any) -> Any:
    if "$ref" in schema:
        found = whole
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return {**found, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _whole(schema: Any, part: Any) -> Any:
    """Return a part of the schema with what it refers to in its place."""
    if not isinstance(part, dict):
        return part
    return {key: _whole(schema, one) for key, one in _resolved(schema, part).items()}


def _section(place: str, section: Mapping[str, Any]) -> str:
    lines = [f"## `{place}`", "", section.get("description", ""), ""]
    for part in ("serviceConfig", "workflowConfig"):
        found = section["properties"].get(part)
        if found:
            lines += [_heading(part, found), "", "| key | type | limits | |", "|---|---|---|---|"]
            lines += [*_rows(found, ""), ""]
    if place == "$":
        keys = ", ".join(f"`{key}`" for key in section["properties"] if key != "$schema")
        lines += [f"Sections: {keys}. Required: {', '.join(section['required'])}.", ""]
    return "\n".join(lines)


def _heading(part: str, found: Mapping[str, Any]) -> str:
    operation = re.match(r"Parameters of (Create\w+)", str(found.get("description")))
    if operation:
        return f"`{part}`: parameters of [{operation[1]}]({API.format(operation[1])})"
    return f"`{part}`: {found.get('description', '')}"


def _rows(schema: Mapping[str, Any], path: str) -> Iterator[str]:
    required = set(schema.get("required", ()))
    for name, one in schema.get("properties", {}).items():
        key = f"{path}{name}"
        kind = one.get("type", "")
        kind = " or ".join(kind) if isinstance(kind, list) else kind
        told = one.get("description", "")
        needed = "required. " if name in required else ""
        yield f"| `{key}` | {kind} | {_limits(one)} | {needed}{told} |"
        inner = one.get("items", one) if kind == "array" else one
        if inner.get("properties"):
            yield from _rows(inner, f"{key}[]." if kind == "array" else f"{key}.")


def _limits(one: Mapping[str, Any]) -> str:
    if "enum" in one:
        return ", ".join(f"`{value}`" for value in one["enum"])
    least = next((one[key] for key in ("minLength", "minItems", "minimum") if key in one), None)
    most = next((one[key] for key in ("maxLength", "maxItems", "maximum") if key in one), None)
    if least is None and most is None:
        return ""
    unit = {"string": " characters", "array": " items"}.get(str(one.get("type")), "")
    if most is None:
        return f"from {least}{unit}"
    return f"{least}–{most}{unit}" if least is not None else f"up to {most}{unit}"


MINISTACK_HEAD = """# MiniStack and AWS

Made from `mpe/local/ministack` by `python -m tests.reference`: where MiniStack alone differs from
AWS, and the local cloud makes it good. Each has a test with MiniStack alone, which fails once the
difference is gone. What the local cloud does otherwise than AWS is on
[its own page](local-cloud.md#where-it-differs-from-aws).

| service | in AWS | MiniStack alone | `tests/local/ministack` |
|---|---|---|---|
"""


def ministack_page() -> str:
    rows = (
        f"| {service} | {aws(one)} | {one.alone} | `{one.test.replace('::', '` `')}` |"
        for service, differences in BY_SERVICE.items()
        for one in differences
    )
    return MINISTACK_HEAD + "\n".join(rows)


def aws(difference: Difference) -> str:
    """Return what AWS does, with the page that says so."""
    return f"[{difference.aws}]({difference.page})" if difference.page else difference.aws


def rules_page() -> str:
    """Return what each rule says, by subject; its heading is its id, so that it can be linked."""
    parts = [RULES_HEAD.format(count=len(ALL))]
    for letter, subject in SUBJECTS.items():
        told = (subject.__doc__ or "").strip()
        parts += [f"## {letter}: {told.rstrip('.')}", ""]
        for rule in rules_of(subject):
            parts += [f"### {rule.id}", "", f"**{rule.title}.** *{rule.severity}*", "", rule.why]
            parts += ["", _source(rule.source), ""]
    if RETIRED:
        parts += [f"Retired: {', '.join(sorted(RETIRED))}.", ""]
    return "\n".join(parts)


def _source(source: str) -> str:
    if source.startswith(OURS):
        return f"Ours: {source.removeprefix(OURS)}."
    return f"Source: <{source}>" if source.startswith("https://") else f"Source: `{source}`"


def outlines() -> str:
    """Return what the list of commands and a shell's completions know of the commands."""
    context = click.Context(mpe)
    found = {name: mpe.get_command(context, name) for name in mpe.list_commands(context)}
    told = {name: described(command) for name, command in found.items() if command}
    return json.dumps(told, indent=1)


PAGES = {
    OUTLINES: outlines,
    CLI: cli_page,
    CONFIG: config_page,
    MINISTACK: ministack_page,
    RULES: rules_page,
}

if __name__ == "__main__":
    for path, page in PAGES.items():
        path.write_text(page().rstrip() + "\n", encoding="utf-8")
