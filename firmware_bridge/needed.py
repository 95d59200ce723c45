"""When a source's next bytes are needed: until then it may leave them in the kernel."""

from typing import NamedTuple


class Needed(NamedTuple):
    """On the host's monotonic clock. `patient`: they may also come a little later."""

    at_ns: int
    patient: bool = False
