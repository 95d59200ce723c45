"""Draws a timed static contraction by seed: somebody pushes against something that does not move."""

import numpy as np

from firmware_bridge.simulator import Machine, Trace
from monitor.profile.profile import Profile
from monitor.profile.reading import profile_from_builtins
from tests.quality.signals import low_pass

RATE_HZ = 1000
STAGES = (0.5, 0.75, 1.0)
BEGIN_S, REST_S = 2.5, 8.0


def drawn_contraction(rng: np.random.Generator) -> tuple[Trace, Profile]:
    """Ramps, holds, dips, surges, and often a failure at the end; with a profile that gives the peak."""
    peak_n = float(rng.uniform(500, 3000))
    stages_s = [float(rng.uniform(20, 30)) for _ in STAGES]
    n = round((BEGIN_S + sum(stages_s) + 1 + REST_S) * RATE_HZ)
    t_s = np.arange(n) / RATE_HZ
    wanted = np.zeros(n)
    at_s = BEGIN_S
    for share, stage_s in zip(STAGES, stages_s, strict=True):
        wanted[t_s >= at_s] = share
        at_s += stage_s
    give_up_s = at_s - float(rng.uniform(2, 12)) if rng.random() < 0.5 else at_s + 0.5
    weak = t_s > give_up_s
    wanted[weak] *= np.exp(-(t_s[weak] - give_up_s) / float(rng.uniform(8, 20)))
    for _ in range(int(rng.integers(0, 5))):
        dip_s = float(rng.uniform(BEGIN_S + 4, at_s - 3))
        size = float(rng.choice([rng.uniform(-0.4, -0.05), rng.uniform(0.05, 0.6)]))
        wanted[(t_s > dip_s) & (t_s < dip_s + float(rng.uniform(0.1, 2.0)))] *= 1 + size
    wanted[t_s > at_s + 1.0] = 0.0
    slow = low_pass(wanted, float(rng.uniform(0.6, 2.0)), 1 / RATE_HZ)  # muscle force does not jump
    waves = sum(
        amplitude * np.sin(2 * np.pi * (hz * t_s + rng.random()))
        for amplitude, hz in ((rng.uniform(0, 0.03), rng.uniform(0.3, 1.5)), (rng.uniform(0, 0.01), rng.uniform(8, 12)))
    )
    pull_n = np.maximum(peak_n * slow * (1 + waves), 0.0)
    still = np.zeros(n)
    table = {
        "machine": {"id": "static", "kind": "static", "peak_n": peak_n},
        "protocol": {"stages": list(STAGES), "stages_s": stages_s},
    }
    return Trace(Machine(), still, still, still, pull_n, still), profile_from_builtins(table, "the corpus")
