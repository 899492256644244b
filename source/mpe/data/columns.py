"""Which of a user's columns is which of the service's, by their names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Protocol

from mpe.model.service.avro import DOMAIN_REQUIRED, FIELD_NAME_LIMIT, RULES

LEAVE_OUT = "-"
"""The target of a column that is to be left out."""
NEARLY = 0.8
"""How much of two names is the same where one is probably a misspelling of the other."""
_USERS = (
    "userid user uid customerid customer custid visitorid visitor memberid member clientid client "
    "accountid account buyerid buyer shopperid shopper viewerid viewer subscriberid subscriber "
    "personid profileid reviewerid kundennummer"
)
_ITEMS = (
    "itemid item productid product sku asin articleid article movieid movie filmid film videoid "
    "video contentid content trackid track songid song bookid book isbn listingid listing offerid "
    "offer assetid showid stockcode productcode itemcode"
)
ALIASES: Mapping[str, Mapping[str, str]] = {
    "interactions": {
        "USER_ID": _USERS,
        "ITEM_ID": _ITEMS,
        "TIMESTAMP": "timestamp ts time datetime date when unixtime unixtimestamp epoch "
        "eventtime eventtimestamp eventdate eventts createdat occurredat orderdate purchasedate "
        "purchasetime invoicedate viewedat watchedat interactiontime reviewtime unixreviewtime "
        "happenedat",
        "EVENT_TYPE": "eventtype event eventname action activity behavior behaviour interaction "
        "interactiontype actiontype activitytype",
        "EVENT_VALUE": "eventvalue rating ratings score stars value",
        "IMPRESSION": "impression impressions",
        "RECOMMENDATION_ID": "recommendationid",
        "EVENT_ATTRIBUTION_SOURCE": "eventattributionsource",
    },
    "users": {"USER_ID": f"{_USERS} id"},
    "items": {
        "ITEM_ID": f"{_ITEMS} id",
        "CREATION_TIMESTAMP": "creationtimestamp creationdate createdat created dateadded addedat "
        "releasedate released publishedat publishdate publicationdate launchdate datepublished",
    },
}
"""The names that mean a column of the service, without case and signs."""
DOMAIN_ALIASES: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("ECOMMERCE", "items"): {
        "PRICE": "price unitprice listprice saleprice",
        "CATEGORY_L1": "categoryl1 category categories maincategory department producttype",
        "CATEGORY_L2": "categoryl2 subcategory",
        "PRODUCT_DESCRIPTION": "productdescription description",
    },
    ("VIDEO_ON_DEMAND", "items"): {
        "GENRES": "genres genre",
        "PRODUCT_DESCRIPTION": "productdescription description synopsis plot overview",
        "DURATION": "duration runtime",
        "AVERAGE_RATING": "averagerating avgrating",
    },
}


class Unsure(Exception):
    """Something that only the user can say; the message tells how."""


class Asker(Protocol):
    """Asks the user, where there is one."""

    def choose(self, question: str, options: Sequence[str]) -> str | None:
        """Return one of the options, or None where nobody can be asked."""


@dataclass(frozen=True)
class ColumnMap:
    """What the user says of a column: ``[kind.]column=TARGET``."""

    kind: str | None
    column: str
    target: str


def mapping(given: str) -> ColumnMap:
    """Read a ``--map``; raise Unsure where it is not one."""
    column, equals, target = given.rpartition("=")
    if not equals or not column or not target:
        raise Unsure(f"--map {given}: write it as --map column=TARGET, such as userId=USER_ID.")
    kind, dot, rest = column.partition(".")
    if dot and kind in ALIASES:
        return ColumnMap(kind, rest, target if target == LEAVE_OUT else target.upper())
    return ColumnMap(None, column, target if target == LEAVE_OUT else target.upper())


def plain(name: str) -> str:
    """Return a name without case and signs."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def reserved(kind: str, domain: str | None) -> dict[str, bool]:
    """Return the service's columns of a dataset, and whether each is required."""
    rules = RULES[kind]
    required = {**rules.required, **DOMAIN_REQUIRED.get((domain or "", kind), {})}
    optional = {**rules.optional, **_aliases(kind, domain)}
    return {name: name in required for name in (*required, *optional)}


def _aliases(kind: str, domain: str | None) -> dict[str, str]:
    return {**ALIASES[kind], **DOMAIN_ALIASES.get((domain or "", kind), {})}


def recognise(
    kind: str,
    header: Sequence[str],
    *,
    domain: str | None,
    mappings: Iterable[ColumnMap],
    asker: Asker,
    absent: frozenset[str] = frozenset(),
) -> tuple[dict[str, str], set[str], list[str]]:
    """Return the user's column for each target, those to be left out, and what to note.

    What the user says counts first, then an exact name, then a name that means only one thing.
    Targets that are ``absent`` are looked for nowhere.
    """
    targets, left_out = _mapped(kind, header, domain, mappings)
    notes: list[str] = []
    for target, required in reserved(kind, domain).items():
        if target in targets or target in absent:
            continue
        free = [one for one in header if one not in {*targets.values(), *left_out}]
        found = _candidates(target, free, _aliases(kind, domain).get(target, ""))
        meant = _misspelt(target, targets, reserved(kind, domain))
        if meant and required and len(found) != 1:
            raise Unsure(f"--map {targets[meant]}={meant}: is {target} meant? Write it so.")
        if meant and not required:
            notes.append(f"--map {targets[meant]}={meant}: if {target} is meant, write it so.")
        if len(found) == 1:
            targets[target] = found[0]
        elif required:
            targets[target] = _asked(kind, target, found, free, asker)
        elif found:
            notes.append(
                f"{' and '.join(found)} of the {kind} may each be {target}: none is taken for it. "
                f"Say --map {found[0]}={target} if one is."
            )
    return targets, left_out, notes


def _mapped(
    kind: str, header: Sequence[str], domain: str | None, mappings: Iterable[ColumnMap]
) -> tuple[dict[str, str], set[str]]:
    targets: dict[str, str] = {}
    left_out: set[str] = set()
    elsewhere = {name for other in ALIASES for name in reserved(other, domain)}
    own = set(reserved(kind, domain))
    for one in mappings:
        if one.kind not in {None, kind} or one.column not in header:
            continue
        if one.target == LEAVE_OUT:
            left_out.add(one.column)
        elif one.target in own or one.target not in elsewhere or one.kind == kind:
            if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", one.target):
                raise Unsure(f"--map {one.column}={one.target}: use letters, digits and _.")
            if targets.get(one.target, one.column) != one.column:
                raise Unsure(f"--map: both {targets[one.target]} and {one.column} are mapped to "
                             f"{one.target} in the {kind}.")  # fmt: skip
            targets[one.target] = one.column
    return targets, left_out


def _misspelt(target: str, targets: Iterable[str], known: Iterable[str]) -> str | None:
    """Return what was mapped to a name that is no column of the service's, but nearly this one."""
    names = [one for one in targets if one not in set(known)]
    return next(iter(get_close_matches(target, names, n=1, cutoff=NEARLY)), None)


def _candidates(target: str, free: Sequence[str], aliases: str) -> list[str]:
    exact = [one for one in free if one == target] or [
        one for one in free if plain(one) == plain(target)
    ]
    if len(exact) == 1:
        return exact
    known = aliases.split()
    return (
        exact
        or [one for one in free if plain(one) in known]
        or [one for one in free if "." in one and plain(one.rpartition(".")[2]) in known]
    )


def _asked(kind: str, target: str, found: Sequence[str], free: Sequence[str], asker: Asker) -> str:
    options = list(found or free)
    question = f"Which column of the {kind} is {target}?"
    answer = asker.choose(question, options) if options else None
    if answer is None:
        known = ", ".join(options) or "no other"
        more = ""
        if target == "TIMESTAMP":
            more = (
                " Times in several columns are joined with +, such as --map date+time=TIMESTAMP; "
                "where there are none, --no-times makes an order of the rows."
            )
        raise Unsure(
            f"{question} It could be: {known}. Say so with --map COLUMN={target}.{more}"
            if options
            else f"The {kind} have no column for {target}.{more}"
        )
    return answer


def own_name(column: str, taken: Iterable[str]) -> str:
    """Return a name that the service takes for a column of the user's own.

    Names must differ by their letters and digits alone.
    """
    text = unicodedata.normalize("NFKD", column).encode("ascii", "ignore").decode()
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    text = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").upper()[: FIELD_NAME_LIMIT - 6]
    if not text or text[0].isdigit():
        text = f"COLUMN_{text}".strip("_")[: FIELD_NAME_LIMIT - 6]
    used = {plain(one) for one in taken}
    found, number = text, 2
    while plain(found) in used:
        found, number = f"{text}_X{number}", number + 1
    return found
