// Evaluates a set's summary: leak by cause, faults, and the one thing to do better.

import { LEAKS, ROWS } from "./vocabulary.js";

const WORTH_S = 0.5; // less is not mentioned
const BY_LEAK = new Map(ROWS.filter((row) => row.leak).map((row) => [row.leak, row]));
const BY_COUNT = new Map(ROWS.map((row) => [row.counted_as, row]));

/** The row whose remedy would save most; null if nothing that was judged cost a second. */
export function worst(record) {
  const costs = new Map(); // remedy -> {row, seconds}; kinds can share a remedy
  const add = (row, seconds) => {
    const cost = costs.get(row.remedy.en) ?? { row, seconds: 0 };
    costs.set(row.remedy.en, { ...cost, seconds: cost.seconds + seconds });
  };
  for (const [leak, row] of BY_LEAK) add(row, record.leak?.[leak] ?? 0);
  for (const [kind, row] of BY_COUNT) if (row.cost_s) add(row, row.cost_s * (record.counts[kind] ?? 0));
  const { row, seconds } = [...costs.values()].reduce((most, cost) => (cost.seconds > most.seconds ? cost : most));
  return seconds >= 1 ? row : null;
}

/** The faults of the set, as [row, count]. */
export function faults(record) {
  return [...BY_COUNT]
    .filter(([kind, row]) => row.fault && record.counts[kind])
    .map(([kind, row]) => [row, record.counts[kind]]);
}

/** Seconds under load before the load was known; they are neither tension nor leak. */
export function unjudged(record) {
  return record.leak?.unjudged_s ?? 0;
}

/** Seconds that leaked, or null if they were not judged. */
export function leaked(record) {
  return record.under_tension_s === null ? null : record.under_load_s - record.under_tension_s - unjudged(record);
}

/** The leak by cause, largest first: [{cause, seconds, share of the time under load}]. */
export function leaks(record) {
  if (!record.leak || !(record.under_load_s > 0)) return [];
  const share = (seconds) => seconds / record.under_load_s;
  return Object.keys(LEAKS)
    .map((cause) => ({ cause, seconds: record.leak[cause] ?? 0, share: share(record.leak[cause] ?? 0) }))
    .filter((leak) => leak.seconds >= WORTH_S)
    .sort((one, other) => other.seconds - one.seconds);
}
