// The state as one icon and one line of text, the same on both pages.

import { sensorFault } from "./kinds.js";

export function stateLabel(now, words) {
  return now.state === "fault" ? words.name(sensorFault(now.reason)) : words.text(labelKey(now));
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
  return now.band === "none" ? "learning" : now.band;
}
