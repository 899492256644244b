"""Puts other code into the place of functions that are loaded, wherever they are held."""

from __future__ import annotations

import functools
import gc
from collections.abc import Iterator, Mapping, Sequence
from types import CodeType, FunctionType
from typing import Any

Codes = Mapping[tuple[str, str, int], CodeType]
"""What functions are to have, by the file, name and first line of what they have."""


class Loaded:
    """The functions that are loaded, of some folders, and all that keep answers of theirs."""

    def __init__(self, folders: Sequence[str]) -> None:
        self._caches: list[functools._lru_cache_wrapper[Any]] = []
        self._functions: list[FunctionType] = []
        within = tuple(folders)
        gc.unfreeze()  # else what was there before the tests is not found
        for one in gc.get_objects():
            kind = type(one)  # isinstance would ask what a weak proxy stands for, which may be gone
            if kind is functools._lru_cache_wrapper:
                self._caches.append(one)
            elif kind is FunctionType and one.__code__.co_filename.startswith(within):
                self._functions.append(one)

    def put(self, codes: Codes) -> None:
        """Give functions other code, and have none of them answer from what it keeps."""
        for one in self._functions:
            had = one.__code__
            now = codes.get((had.co_filename, had.co_qualname, had.co_firstlineno))
            if now is not None:
                one.__code__ = now
        for cache in self._caches:
            cache.cache_clear()


def changed(was: CodeType, now: CodeType) -> Codes:
    """Return the code that differs of the functions of two modules with the same functions."""
    before, after = _functions(was), _functions(now)
    if before.keys() != after.keys():
        raise ValueError("a change made or took away a function")
    found: dict[tuple[str, str, int], CodeType] = {}
    for key, code in before.items():
        place = (code.co_filename, code.co_qualname, code.co_firstlineno)
        if code != after[key]:
            found.setdefault(place, after[key])
    return found


def _functions(code: CodeType) -> dict[tuple[str, int], CodeType]:
    """Return all code within a module, by qualified name and its number among those so named."""
    found: dict[tuple[str, int], CodeType] = {}
    for one in _within(code):
        number = sum(key[0] == one.co_qualname for key in found)
        found[one.co_qualname, number] = one
    return found


def _within(code: CodeType) -> Iterator[CodeType]:
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield one
            yield from _within(one)
