"""The knowledge about a machine from earlier sessions, for every lifter; each recording has it in its header."""

from typing import Annotated

import msgspec
from msgspec import Meta

from monitor.profile.resistance import Resistance


class LearnedMachine(msgspec.Struct, frozen=True, kw_only=True):
    """`friction`: a share of the load, null until it is learned; `zero_n`: what the cell reads without load.

    `resistance`: how the load varies along the way, and what mass moves; null where it is a stack on a plain cable.
    """

    friction: Annotated[float, Meta(ge=0, le=0.5)] | None = None
    resistance: Resistance | None = None
    zero_n: Annotated[float, Meta(ge=-5000, le=5000)] = 0.0
    v: int = 1
