"""What is asked for and does not exist; each message names the remedy."""


class WorkoutError(Exception):
    """There is no such set or sheet."""


class UnknownSet(WorkoutError):
    """No set has this key, or its values are odd."""


class UnknownSheet(WorkoutError):
    """The card has fewer sheets."""
