"""Keeps control characters that came from outside away from the terminal: they could retitle it, type, or hide text.

    with safe_output():
        print("\\x1b]0;owned\\x07")          # shows \\x1b]0;owned\\x07

The colours and cursor moves that `rich` draws with pass, but only to a terminal.
"""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

STREAM = "the output"
DRAWING = r"\x1b\[[0-9;?]{0,24}[A-HJKhlm]"
ODD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
ODD_OR_DRAWING = re.compile(rf"(?P<drawing>{DRAWING}|\r)|{ODD.pattern}")


def plain(text: str) -> str:
    r"""The text with control characters, and marks that turn its direction, as escapes.

    >>> plain("a\tb\x1b[2Jc")
    'a\tb\\x1b[2Jc'
    """
    return ODD.sub(_escaped, text)


@contextmanager
def safe_output() -> Iterator[None]:
    """Until the end of the block, standard output and standard error write such characters as escapes."""
    before = sys.stdout, sys.stderr
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # where the caller has closed them
        sys.stdout, sys.stderr = (cast(TextIO, _Safe(stream or nowhere)) for stream in before)
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before


class _Safe:
    """A text stream; everything but `write`, `writelines` and `flush` is the inner one's.

    `flush` also raises the error of an earlier `write`: argparse ignores it.
    """

    def __init__(self, inner: TextIO) -> None:
        self._inner = inner
        self._draws = inner.isatty()
        self._error: OSError | None = None

    def write(self, text: str) -> int:
        with self._named():
            self._inner.write(ODD_OR_DRAWING.sub(_drawn, text) if self._draws else plain(text))
        return len(text)

    def flush(self) -> None:
        with self._named():
            if self._error is not None:
                raise self._error
            self._inner.flush()

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Names the stream in an error of the system, such as a full disk, as a file would be."""
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            self._error = error
            raise OSError(error.errno, error.strerror, STREAM) from error


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


def _drawn(match: re.Match[str]) -> str:
    return match[0] if match["drawing"] else _escaped(match)
