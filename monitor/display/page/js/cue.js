// Chooses the one cue that the lifter gets: alarm before heave before rest before pace.

import { rowOf, rowWithCue, urgency } from "./kinds.js";
import { CUES } from "./vocabulary.js";

const HEAVE_MS = 1200; // how long the cue for a past event stays

/** The heave that was reported within the last 1.2 s, as {cue, until_ms}, or null. */
export function heave(recent, now_ms) {
  for (const { record, seen_ms } of recent) {
    if (now_ms - seen_ms >= HEAVE_MS || record.part_of !== null) continue;
    const { cue } = rowOf(record);
    if (urgency(cue) === "heave") return { cue, until_ms: seen_ms + HEAVE_MS };
  }
  return null;
}

/** Whether the cue asks the lifter to do something differently. */
export function isCorrection(cue) {
  return cue === "low" || cue === "high" || Boolean(rowWithCue(cue)?.fault);
}

/** The cue in a set. `sent` is the daemon's, which knows more than the page; `open` are cues of open intervals. */
export function setCue({ sent, heaved, resting, band, phase, open }) {
  const due = new Set([heaved?.cue, resting, band, ...open]);
  return sent ?? CUES.find(({ key }) => due.has(key))?.key ?? phase;
}
