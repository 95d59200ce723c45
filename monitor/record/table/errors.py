"""The error of a table that cannot be used."""


class TableError(Exception):
    """The message names the line and the remedy."""


def shown(text: str, most: int = 40) -> str:
    """A text from the file, safe on a terminal and short enough for a sentence."""
    return repr(text if len(text) <= most else text[:most] + "...")


def printable(name: str) -> str:
    """A header, without quotes if that is safe."""
    return name if name.isprintable() else shown(name)
