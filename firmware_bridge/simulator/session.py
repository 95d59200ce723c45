"""A session on one machine: stretches of movement, each on the machine as it is then, with its pin."""

from dataclasses import dataclass

from firmware_bridge.simulator.machine import Machine
from firmware_bridge.simulator.script import Script
from firmware_bridge.simulator.simulation import simulate
from firmware_bridge.simulator.striving import Striving, simulate_striving
from firmware_bridge.simulator.trace import Trace


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is done on the machine as it is for a while."""

    machine: Machine
    script: Script | Striving
    seed: int

    def trace(self) -> Trace:
        """Performed."""
        if isinstance(self.script, Script):
            return simulate(self.machine, self.script, self.seed)
        return simulate_striving(self.machine, self.script, self.seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Stretches, with what a kit and a profile must know of them."""

    stretches: tuple[Stretch, ...]
    limiter_m: float = 0.0  # a range limiter stops the stack so far above its rest: the machines' rest is the limiter
    pause_s: float = 0.0  # pauses on the rest that were agreed on
    drift_n_per_min: float = 0.0  # of the cell's zero
    spike_every: int = 0  # readings of the cell; 0: none
    range_given: bool = True

    def trace(self) -> Trace:
        """All of it."""
        return Trace.joined([stretch.trace() for stretch in self.stretches])

    @property
    def tempo_s(self) -> tuple[float, float]:
        """Positive and negative that were agreed on."""
        script = self.stretches[0].script
        return script.positive_s, script.negative_s

    @property
    def machine(self) -> Machine:
        """As it is in the beginning."""
        return self.stretches[0].machine
