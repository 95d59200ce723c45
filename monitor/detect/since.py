"""Since when a condition has held, and at which moments one that lasts is looked at."""


def since_when(before: int | None, holds: bool, now: int) -> int | None:
    """Since when a condition has held: since `before`, if it held then already; None: it does not hold now."""
    if not holds:
        return None
    return now if before is None else before


def next_look(now: int, first: int, every: int) -> int:
    """The moment after `now` at which to look: `first`, and then every so many steps."""
    return first if now < first else now + every - (now - first) % every


def is_look(now: int, first: int, every: int) -> bool:
    """Whether it is one of these moments."""
    return now >= first and (now - first) % every == 0
