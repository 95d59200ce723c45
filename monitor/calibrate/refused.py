"""The error of a calibration step: a measurement that cannot be right, with its likely cause and a remedy."""


class Refused(Exception):
    """`cause` says what is wrong, `remedy` what to do."""

    def __init__(self, cause: str, remedy: str = "", *, restarted: bool = False) -> None:
        super().__init__(f"{cause}: {remedy}" if remedy else cause)
        self.cause = cause
        self.remedy = remedy
        self.restarted = restarted  # the board restarted: the encoder's zero has to be measured again
