"""A session on one machine: stretches of movement, each with the machine as it is at that time."""

from dataclasses import dataclass

from firmware_bridge.simulator.machine import Machine
from firmware_bridge.simulator.script import Script
from firmware_bridge.simulator.simulation import simulate
from firmware_bridge.simulator.striving import Striving, simulate_striving
from firmware_bridge.simulator.trace import Trace


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is done while the machine stays the same."""

    machine: Machine
    script: Script | Striving
    seed: int

    def trace(self) -> Trace:
        """Simulate it."""
        if isinstance(self.script, Script):
            return simulate(self.machine, self.script, self.seed)
        return simulate_striving(self.machine, self.script, self.seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Stretches, with what a kit and a profile need to know about them."""

    stretches: tuple[Stretch, ...]
    limiter_m: float = 0.0  # height of a range limiter above the rest; the limiter is then the rest of the machines
    pause_s: float = 0.0  # agreed pauses on the rest
    drift_n_per_min: float = 0.0  # of the cell's zero
    spike_every: int = 0  # one in this many readings of the cell is a spike; 0: none
    range_given: bool = True

    def trace(self) -> Trace:
        """The whole session."""
        return Trace.joined([stretch.trace() for stretch in self.stretches])

    @property
    def tempo_s(self) -> tuple[float, float]:
        """The agreed positive and negative."""
        script = self.stretches[0].script
        return script.positive_s, script.negative_s

    @property
    def machine(self) -> Machine:
        """The machine at the beginning."""
        return self.stretches[0].machine
