"""The errors of a study that a person can act on."""


class StudyError(Exception):
    """The study cannot be made, or two cannot be compared; the message names the reason and the remedy."""
