"""Text in a CSV that a spreadsheet opens: a text that begins like a formula gets an apostrophe before it.

Otherwise a name such as =HYPERLINK(...) would be run when somebody opens the file.
"""

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_text(text: str) -> str:
    """The cell of a text.

    >>> as_text("=1+1"), as_text("Anna")
    ("'=1+1", 'Anna')
    """
    return f"'{text}" if text.startswith(FORMULA) else text
