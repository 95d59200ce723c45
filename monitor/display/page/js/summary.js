// Evaluates a set's summary: leak by cause, faults, and the one thing to do better.

import { LEAKS, ROWS } from "./vocabulary.js";

const WORTH_S = 0.5; // less is not mentioned
const SLIGHT_S = 0.01; // the cost of a fault whose leak is its whole cost
const BY_LEAK = new Map(ROWS.toReversed().map((row) => [row.leak, row])); // the first row of each cause
const BY_COUNT = new Map(ROWS.filter((row) => row.fault).map((row) => [row.counted_as, row]));
BY_LEAK.delete(undefined);

/** The row whose remedy would save most; null if no fault was counted and nothing that was judged cost a second. */
export function worst(record) {
  const costs = new Map(); // remedy -> {row, seconds}; kinds can share a remedy
  const add = (row, seconds) => {
    const cost = costs.get(row.remedy.en) ?? { row, seconds: 0 };
    costs.set(row.remedy.en, { ...cost, seconds: cost.seconds + seconds });
  };
  for (const [leak, row] of BY_LEAK) add(row, record.leak?.[leak] ?? 0);
  for (const [kind, row] of BY_COUNT) add(row, (row.cost_s ?? SLIGHT_S) * (record.counts[kind] ?? 0));
  const { row, seconds } = [...costs.values()].reduce((most, cost) => (cost.seconds > most.seconds ? cost : most));
  return seconds >= 1 || faults(record).length ? row : null;
}

/** The faults of the set, as [row, count]. */
export function faults(record) {
  return [...BY_COUNT].filter(([kind]) => record.counts[kind]).map(([kind, row]) => [row, record.counts[kind]]);
}

/** Seconds of the set that could not be judged; they count neither for nor against skill. */
export function unjudged(record) {
  return record.leak?.unjudged_s ?? 0;
}

/** Seconds that the leak is part of. Records of old versions counted the time under load. */
export function length(record) {
  return record.set_s ?? record.under_load_s;
}

/** Seconds that leaked, or null if they were not judged. */
export function leaked(record) {
  if (!record.leak) return null;
  return Object.keys(LEAKS).reduce((sum, cause) => sum + (record.leak[cause] ?? 0), 0);
}

/** The leak by cause, largest first: [{cause, seconds, share of the set}]. */
export function leaks(record) {
  if (!record.leak || !(length(record) > 0)) return [];
  const share = (seconds) => seconds / length(record);
  return Object.keys(LEAKS)
    .map((cause) => ({ cause, seconds: record.leak[cause] ?? 0, share: share(record.leak[cause] ?? 0) }))
    .filter((leak) => leak.seconds >= WORTH_S)
    .sort((one, other) => other.seconds - one.seconds);
}

/** The sentence for a set with almost no leak; it never hides faults, which are [row, count]. */
export function withoutLeak(faults, words) {
  const names = faults.map(([row, count]) => `${words.name(row)} ${count}`);
  return names.length ? words.text("summary.faults", names.join(" · ")) : words.text("summary.clean");
}
