"""What a step says when a measurement cannot be right: the likely cause, and what to do."""


class Refused(Exception):
    """The message is one sentence: what is wrong, the likely cause; `remedy` is another one."""

    def __init__(self, cause: str, remedy: str = "", *, restarted: bool = False) -> None:
        super().__init__(f"{cause}: {remedy}" if remedy else cause)
        self.cause = cause
        self.remedy = remedy
        self.restarted = restarted  # the board began anew: where the encoder stands has to be found again
