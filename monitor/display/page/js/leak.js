// The leak of the set that goes on, in seconds by cause, from its events; a set's own summary replaces it at its end.

const CAUSE = { lockout_rest: "lockout_s", unload: "unload_s", low: "low_tension_s", high: "high_tension_s" };

/**
 * Seconds by cause; only primaries count, open intervals up to now. `other_s` has no event yet, or passed before the
 * load was known.
 */
export function leakSoFar(recent, set, feedback) {
  const leak = { lockout_s: 0, unload_s: 0, low_tension_s: 0, high_tension_s: 0, other_s: 0 };
  for (const { record } of recent) {
    const cause = CAUSE[record.kind === "tension_out" ? record.side : record.kind];
    if (!cause || record.set !== set || record.part_of !== null || record.ended_set) continue;
    leak[cause] += record.duration_s ?? Math.max(0, feedback.t_s - record.t_s);
  }
  const named_s = Object.values(leak).reduce((sum, seconds) => sum + seconds, 0);
  leak.other_s = Math.max(0, feedback.under_load_s - feedback.under_tension_s - named_s);
  return leak;
}
