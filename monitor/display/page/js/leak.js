// The leak of the current set in seconds by cause, from its events, until the set's summary replaces it.

import { rowOf } from "./kinds.js";
import { ROWS } from "./vocabulary.js";

const BESIDE_LOAD = "bottom_s"; // a stack on its rest is not under load
const FIELDS = [...new Set(ROWS.map((row) => row.leak))].filter((field) => field && field !== BESIDE_LOAD);

/**
 * Seconds by cause. Only primaries count; open intervals count up to now. `other_s`: no event explains it yet, or the
 * load was not known.
 */
export function leakSoFar(recent, set, feedback) {
  const leak = Object.fromEntries(FIELDS.map((field) => [field, 0]));
  for (const { record } of recent) {
    const field = rowOf(record).leak;
    if (!(field in leak) || record.set !== set || record.part_of !== null) continue;
    leak[field] += record.duration_s ?? Math.max(0, feedback.t_s - record.t_s);
  }
  const named_s = Object.values(leak).reduce((sum, seconds) => sum + seconds, 0);
  leak.other_s = Math.max(0, feedback.under_load_s - feedback.under_tension_s - named_s);
  return leak;
}
