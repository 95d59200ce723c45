// A set's summary in a lifter's words: what was tension, where the rest went, one thing to do better.

const CAUSES = ["lockout_s", "bottom_s", "unload_s", "low_tension_s", "high_tension_s"];
const WORTH_S = 0.5; // less is not worth a word
// What one act costs, in seconds of leak: a heave takes little time out of the band but spoils the repetition.
const ACTS = {
  force_ceiling: ["force_ceiling", 4],
  jerk: ["jerk", 2],
  drop: ["drop", 2],
  slack: ["slack", 2],
  bottom_rest: ["bottom", 2],
  stack_touch: ["stack_touch", 1],
  speed_over: ["speed_over", 1],
};
const LEAKS = {
  lockout_s: "lockout",
  bottom_s: "bottom",
  unload_s: "unload",
  low_tension_s: "low_tension",
  high_tension_s: "high_tension",
};

/**
 * Key of the advice: the costliest thing, leak or act; `clean` where nothing that was judged cost a second. The record
 * counts turnarounds of every grade, so the rough ones are counted among the events that were `seen`.
 */
export function advice(record, seen = []) {
  const cost = new Map();
  const add = (key, seconds) => cost.set(key, (cost.get(key) ?? 0) + seconds);
  for (const [cause, key] of Object.entries(LEAKS)) add(key, record.leak?.[cause] ?? 0);
  for (const [kind, [key, seconds]] of Object.entries(ACTS)) add(key, (record.counts[kind] ?? 0) * seconds);
  add(
    "turn",
    seen.filter((event) => isRoughTurn(event) && event.set === record.set && event.session === record.session).length,
  );
  const [key, seconds] = [...cost].reduce((worst, entry) => (entry[1] > worst[1] ? entry : worst));
  if (seconds >= 1) return key;
  return unjudged(record) < 1 ? "clean" : "clean_so_far";
}

/** Seconds under load before the load was known: neither tension nor leak. */
export function unjudged(record) {
  return record.leak?.unjudged_s ?? 0;
}

/** All that leaked, or null where it was not judged. */
export function leaked(record) {
  return record.under_tension_s === null ? null : record.under_load_s - record.under_tension_s - unjudged(record);
}

/** Where the tension went, largest first: [{cause, seconds, share of the time under load}]. */
export function leaks(record) {
  if (!record.leak || !(record.under_load_s > 0)) return [];
  const share = (seconds) => seconds / record.under_load_s;
  return CAUSES.map((cause) => ({ cause, seconds: record.leak[cause] ?? 0, share: share(record.leak[cause] ?? 0) }))
    .filter((leak) => leak.seconds >= WORTH_S)
    .sort((one, other) => other.seconds - one.seconds);
}

function isRoughTurn(event) {
  return (
    event.kind === "turnaround" && event.part_of === null && (event.grade === "abrupt" || event.grade === "bounce")
  );
}
