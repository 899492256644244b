"""Tags."""

from __future__ import annotations

from typing import Any

from tests.emulator.conftest import avro
from tests.facts.bench import GONE, INVALID, Bench, refused
from tests.facts.record import GUIDE, Area

fact = Area("tags")
PAGE = f"{GUIDE}tagging-resources.html"


def tags(count: int, start: int = 0) -> list[dict[str, str]]:
    return [{"tagKey": f"k{start + number}", "tagValue": "v"} for number in range(count)]


def listed(bench: Bench, arn: str) -> dict[str, str]:
    found = bench.client.list_tags_for_resource(resourceArn=arn)["tags"]
    return {one["tagKey"]: one["tagValue"] for one in found}


@fact("D", "51 tags at a creation are too many", PAGE)
def _(bench: Bench) -> None:
    call = bench.client.create_dataset_group
    assert refused(call, name=bench.name("g"), tags=tags(51))[0] == "TooManyTagsException"


@fact("D", "50 tags are fine, one more by TagResource is too many", PAGE)
def _(bench: Bench) -> None:
    arn = bench.new_group(tags=tags(50))
    assert len(listed(bench, arn)) == 50
    call = bench.client.tag_resource
    assert refused(call, resourceArn=arn, tags=tags(1, 50))[0] == "TooManyTagsException"


@fact("D", "the value of a key that is there is replaced", PAGE)
def _(bench: Bench) -> None:
    arn = bench.new_group(tags=tags(1))
    bench.client.tag_resource(resourceArn=arn, tags=[{"tagKey": "k0", "tagValue": "new"}])
    assert listed(bench, arn) == {"k0": "new"}


@fact("D", "keys that begin with aws: are reserved, in whatever case", PAGE)
def _(bench: Bench) -> None:
    arn = bench.new_group()
    for key in ("aws:x", "AWS:x", "Aws:"):
        given = [{"tagKey": key, "tagValue": "v"}]
        assert refused(bench.client.tag_resource, resourceArn=arn, tags=given)[0] == INVALID


@fact("D", "keys are told apart by case", PAGE)
def _(bench: Bench) -> None:
    given = [{"tagKey": "team", "tagValue": "a"}, {"tagKey": "Team", "tagValue": "b"}]
    assert listed(bench, bench.new_group(tags=given)) == {"team": "a", "Team": "b"}


SIZES: dict[str, tuple[str, str, bool]] = {
    "a key of 128 characters": ("k" * 128, "v", False),
    "a key of 129 characters": ("k" * 129, "v", True),
    "a value of 256 characters": ("k", "v" * 256, False),
    "a value of 257 characters": ("k", "v" * 257, True),
    "an empty value": ("k", "", False),
    "an empty key": ("", "v", True),
    "a key with signs (+ - = . _ : / @)": ("a+b-c=d.e_f:g/h@i", "v", False),
    "a key with other signs": ("a#b", "v", True),
    "a key in another script": ("équipe", "v", False),
}


def _size(told: str, key: str, value: str, wrong: bool) -> None:
    @fact("M", f"{told} is {'refused' if wrong else 'taken'}", "TagKey, TagValue")
    def _(bench: Bench) -> None:
        arn = bench.new_group()
        given = [{"tagKey": key, "tagValue": value}]
        call: Any = bench.client.tag_resource
        if not key:  # botocore does not let it pass
            call = _raw(bench)
        if wrong:
            assert refused(call, resourceArn=arn, tags=given)[0] == INVALID
        else:
            call(resourceArn=arn, tags=given)
            assert listed(bench, arn) == {key: value}


def _raw(bench: Bench) -> Any:
    """Return TagResource of a client that checks nothing by itself."""
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "personalize",
        region_name="us-east-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",
        config=Config(retries={"max_attempts": 0}, parameter_validation=False),
    )
    bench.build.emulated.service.attach(client)
    return client.tag_resource


for told, (key, value, wrong) in SIZES.items():
    _size(told, key, value, wrong)


@fact("D", "removing a tag that is not there is no error", PAGE)
def _(bench: Bench) -> None:
    arn = bench.new_group(tags=tags(1))
    bench.client.untag_resource(resourceArn=arn, tagKeys=["none"])
    bench.client.untag_resource(resourceArn=arn, tagKeys=["k0"])
    assert listed(bench, arn) == {}


@fact("M", "a resource that there is not", "TagResource errors")
def _(bench: Bench) -> None:
    arn = bench.new_group() + "-none"
    for call, more in (
        (bench.client.tag_resource, {"tags": tags(1)}),
        (bench.client.untag_resource, {"tagKeys": ["k"]}),
        (bench.client.list_tags_for_resource, {}),
    ):
        assert refused(call, resourceArn=arn, **more)[0] == GONE


@fact("D", "schemas and metric attributions have no tags", f"{GUIDE}API_CreateSchema.html")
def _(bench: Bench) -> None:
    arn = bench.schema(avro("Items"))
    assert refused(bench.client.tag_resource, resourceArn=arn, tags=tags(1))[0] == INVALID
    for operation in ("CreateSchema", "CreateMetricAttribution"):
        shape = bench.client.meta.service_model.operation_model(operation).input_shape
        assert "tags" not in shape.members


@fact("M", "200 tags of a request at most, by the model", "Tags")
def _(bench: Bench) -> None:
    call = bench.client.tag_resource
    code, _ = refused(call, resourceArn=bench.new_group(), tags=tags(201))
    assert code in {INVALID, "TooManyTagsException"}


@fact("M", "more than 50 keys to be removed: TooManyTagKeysException", "TooManyTagKeysException")
def _(bench: Bench) -> None:
    keys = [f"k{number}" for number in range(51)]
    code, _ = refused(bench.client.untag_resource, resourceArn=bench.new_group(), tagKeys=keys)
    assert code == "TooManyTagKeysException"
