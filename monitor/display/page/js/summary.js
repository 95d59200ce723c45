// A set's summary in a lifter's words: what was tension, where the rest went, one thing to do better.

export const CAUSES = ["lockout_s", "bottom_s", "unload_s", "low_tension_s", "other_s"];
const WORTH_S = 0.5; // less is not worth a word
// What one act costs, in seconds of leak: a heave takes little time out of the band but spoils the repetition.
const ACTS = {
  force_ceiling: ["force_ceiling", 4],
  jerk: ["jerk", 2],
  drop: ["drop", 2],
  slack: ["slack", 2],
  stack_touch: ["stack_touch", 1],
  speed_over: ["speed_over", 1],
};
const LEAKS = { lockout_s: "lockout", bottom_s: "bottom", unload_s: "unload", low_tension_s: "low_tension" };

/**
 * Key of the advice: the costliest thing, leak or act; `clean` where nothing cost a second. The record counts
 * turnarounds of every grade, so the rough ones are counted among the events that were `seen`.
 */
export function advice(record, seen = []) {
  const cost = new Map();
  const add = (key, seconds) => cost.set(key, (cost.get(key) ?? 0) + seconds);
  for (const [cause, key] of Object.entries(LEAKS)) add(key, record.leak?.[cause] ?? 0);
  for (const [kind, [key, seconds]] of Object.entries(ACTS)) add(key, (record.counts[kind] ?? 0) * seconds);
  add("turn", seen.filter((event) => isRoughTurn(event) && event.set === record.set && event.session === record.session).length);
  const [key, seconds] = [...cost].reduce((worst, entry) => (entry[1] > worst[1] ? entry : worst));
  return seconds >= 1 ? key : "clean";
}

/** Where the tension went, largest first: [{cause, seconds, share of the time under load}]. */
export function leaks(record) {
  if (!record.leak || !(record.under_load_s > 0)) return [];
  return CAUSES.map((cause) => ({ cause, seconds: record.leak[cause], share: record.leak[cause] / record.under_load_s }))
    .filter((leak) => leak.seconds >= WORTH_S)
    .sort((one, other) => other.seconds - one.seconds);
}

function isRoughTurn(event) {
  return event.kind === "turnaround" && event.part_of === null && (event.grade === "abrupt" || event.grade === "bounce");
}
