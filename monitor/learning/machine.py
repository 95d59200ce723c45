"""What sessions have taught of a machine, whoever lifts on it; it stands in each recording's header."""

from typing import Annotated

import msgspec
from msgspec import Meta

from monitor.profile.resistance import Resistance


class LearnedMachine(msgspec.Struct, frozen=True, kw_only=True):
    """`friction`: a share of the load, null until a repetition taught it; `zero_n`: what the cell reads unloaded.

    `resistance`: how the load varies along the way; null where it does not.
    """

    friction: Annotated[float, Meta(ge=0, le=0.5)] | None = None
    resistance: Resistance | None = None
    zero_n: Annotated[float, Meta(ge=-5000, le=5000)] = 0.0
    v: int = 1
