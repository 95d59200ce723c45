// Which one cue the lifter gets: alarm before heave before rest before pace.

const HEAVE_MS = 1200; // how long a cue for something that is over stays
const URGENT = { jerk: "jerk", drop: "drop", slack: "slack" };

/** The heave that was told within the last 1.2 s, as {cue, until_ms}, or null. */
export function heave(recent, now_ms) {
  for (const { record, seen_ms } of recent) {
    if (now_ms - seen_ms >= HEAVE_MS) continue;
    const cue = heaveCue(record);
    if (cue) return { cue, until_ms: seen_ms + HEAVE_MS };
  }
  return null;
}

function heaveCue(record) {
  if (record.part_of !== null || record.ended_set) return null;
  if (record.kind === "jerk" && record.cause === "start") return "jerk_start";
  if (record.kind === "turnaround") return ["abrupt", "bounce"].includes(record.grade) ? record.grade : null;
  if (record.kind === "stack_touch") return record.slam ? "stack_touch" : null;
  return URGENT[record.kind] ?? null;
}

/** The cue in a set. `told` is the daemon's own word: it knows more than we do. */
export function setCue({ told, heaved, resting, band, phase, open }) {
  if (told) return told;
  if (heaved) return heaved.cue;
  if (resting) return resting;
  if (open.has("stall")) return "stall";
  if (band === "low" || band === "high") return band;
  if (open.has("speed_over")) return "speed_over";
  return phase;
}
