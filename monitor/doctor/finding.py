"""One finding of an examination: what was found, what it should be, and the remedy."""

from typing import Literal

import msgspec

Verdict = Literal[
    "ok",
    "note",  # it works, but could be better
    "bad",
    "unknown",  # it cannot be checked now; `found` says why
    "crashed",  # the check itself failed
]
WRONG = ("bad", "crashed")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`key` is stable, because programs read it."""

    key: str
    verdict: Verdict
    found: str
    should: str
    remedy: str | None = None


def ok(key: str, found: str, should: str) -> Finding:
    return Finding(key=key, verdict="ok", found=found, should=should)


def bad(key: str, found: str, should: str, remedy: str) -> Finding:
    return Finding(key=key, verdict="bad", found=found, should=should, remedy=remedy)


def note(key: str, found: str, should: str, remedy: str) -> Finding:
    return Finding(key=key, verdict="note", found=found, should=should, remedy=remedy)


def unknown(key: str, found: str, should: str, remedy: str | None = None) -> Finding:
    return Finding(key=key, verdict="unknown", found=found, should=should, remedy=remedy)
