"""A lifter's isometric strength along the way of a machine, as `rep-monitor strength` writes it.

    {"machine": "leg-press", "efforts": [{"position_m": 0.05, "force_n": 900.0}, ...], "v": 1}

Positions are heights above the rest.
"""

from itertools import pairwise
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from monitor.profile.toml_document import ConfigError
from monitor.state.whole_file import write_whole

LEAST_EFFORTS = 3  # fewer places make no curve
LARGEST_BYTES = 65_536  # of a file that may be somebody else's


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """One static effort: the highest mean force over a second, and where the machine stood."""

    position_m: Annotated[float, Meta(ge=-10, le=10)]
    force_n: Annotated[float, Meta(gt=0, le=50_000)]


class StrengthTest(msgspec.Struct, frozen=True, kw_only=True):
    """The efforts of one test, from the lowest place to the highest."""

    machine: str
    efforts: Annotated[tuple[Effort, ...], Meta(min_length=LEAST_EFFORTS, max_length=64)]
    v: int = 1

    def at(self, x_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """The strength in N at heights in m; NaN outside the places that were tested."""
        places_m = [one.position_m for one in self.efforts]
        forces_n = [one.force_n for one in self.efforts]
        strength_n: NDArray[np.float64] = np.interp(x_m, places_m, forces_n, left=np.nan, right=np.nan)
        return strength_n


def strength_test(machine: str, efforts: list[Effort]) -> StrengthTest:
    """The test, with its efforts in the order of their places."""
    return StrengthTest(machine=machine, efforts=tuple(sorted(efforts, key=lambda one: one.position_m)))


def write_strength(path: Path, test: StrengthTest) -> None:
    write_whole(path, msgspec.json.format(msgspec.json.encode(test), indent=2) + b"\n")


def read_strength(path: Path) -> StrengthTest:
    """Raises ConfigError if the file is not a strength test, OSError if it cannot be read."""
    with path.open("rb") as file:
        text = file.read(LARGEST_BYTES)
    try:
        test = msgspec.json.decode(text, type=StrengthTest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not a strength test: {error}; `rep-monitor strength` writes one") from error
    places_m = [one.position_m for one in test.efforts]
    if any(upper <= lower for lower, upper in pairwise(places_m)):
        raise ConfigError(f"{path}: the places of the efforts do not rise; list them from the lowest to the highest")
    return test
