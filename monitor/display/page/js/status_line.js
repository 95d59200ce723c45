// The state as one icon and one line of text, the same on both pages.

import { rowWithCue, sensorFault } from "./kinds.js";

export function stateLabel(now, words) {
  if (now.state === "fault") return words.name(sensorFault(now.reason));
  return inBandButWrong(now) ? words.name(rowWithCue(now.cue)) : words.text(labelKey(now));
}

/** A correction while the tension itself is right: the label then names what is wrong. */
function inBandButWrong(now) {
  const nothingElse = now.heave === null && now.resting === "none" && now.band !== "low" && now.band !== "high";
  return Boolean(now.correcting) && nothingElse && rowWithCue(now.cue) !== undefined;
}

function labelKey(now) {
  if (now.state === "offline" || now.state === "stale") return `state.${now.state}.${now.reason}`;
  if (now.state !== "set") return `state.${now.state}`;
  if (now.heave) return `state.heave.${now.heave}`;
  return `state.set.${now.resting !== "none" ? now.resting : now.band}`;
}

export function stateIcon(now) {
  if (["idle", "countdown", "summary", "connecting"].includes(now.state)) return "ready";
  if (now.state !== "set") return now.state;
  if (now.heave) return "heave";
  if (now.resting !== "none") return "rest";
  if (inBandButWrong(now)) return rowWithCue(now.cue).icon;
  return now.band === "none" ? "learning" : now.band;
}
