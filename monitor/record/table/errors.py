"""The error of a table that cannot be used."""


class TableError(Exception):
    """The sentence names the line and the remedy."""


def shown(text: str, most: int = 40) -> str:
    """What stands in the file, harmless on a terminal and short enough for a sentence."""
    return repr(text if len(text) <= most else text[:most] + "...")


def printable(name: str) -> str:
    """A header, bare where that is harmless."""
    return name if name.isprintable() else shown(name)
