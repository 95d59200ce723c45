"""What can be wrong with a client's data; each message names the remedy."""


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
