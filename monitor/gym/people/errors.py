"""What can be wrong with a client's data; each message names the remedy."""

from collections.abc import Sequence

MOST_MISTAKES = 20  # that are listed


class PeopleError(Exception):
    """A client's data cannot be read or changed as asked."""


class UnknownClient(PeopleError):
    """Nobody has this id."""


class BadField(PeopleError):
    """A value that a field cannot have. `field` is its name, `remedy` what to give instead."""

    def __init__(self, field: str, remedy: str) -> None:
        super().__init__(f"{field}: {remedy}")
        self.field = field
        self.remedy = remedy


class PeopleTableError(PeopleError):
    """A table that cannot be imported; nothing of it was. Each of `mistakes` names its line and the remedy."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        more = len(mistakes) - MOST_MISTAKES
        self.mistakes = [*mistakes[:MOST_MISTAKES], *([f"{more} more mistakes follow"] if more > 0 else [])]
        super().__init__("; ".join(self.mistakes))
