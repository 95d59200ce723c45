// Computes what the page shows now, as one plain object, from the model; draws nothing.
//
//   offline > connecting > stale > fault > alarm > learning | set > countdown > summary > idle
//
// `next_ms` is when the result can change without a message: the page computes it again then.

import { clamp } from "./bar.js";
import { heave, isCorrection, setCue } from "./cue.js";
import { isFault, rowOf } from "./kinds.js";
import { protocolName } from "./protocol.js";
import { kilograms } from "./units.js";

export const STALE_MS = 200; // at the live rate; shown within 250 ms
const LATE = 1.5; // in intervals of feedback
const LIVE_HZ = 25;
const ABSENT_MS = 1500; // by then a broker that knows the machine has sent its status
const SUMMARY_MS = 180000;
export const BEGIN_MS = 8000; // how long "begin" waits for the set
const PAUSE_S = 1; // on the rest: from then on the page asks whether the set is over
const BAND = 0.1; // until the daemon's info arrives
const LASTING = new Set(["stall", "speed_over"]); // cues that last as long as their event

export function screen(model, now_ms, { countdown_ms = null, dismissed = null, guidance = "always" } = {}) {
  const wake = new Wake(now_ms);
  const { state, reason } = stateNow(model, now_ms, wake, countdown_ms, dismissed);
  const lifting = state === "set" || state === "learning" || state === "alarm";
  const seen = state === "offline" || state === "connecting" || state === "stale" ? null : model.feedback;
  const pausing = lifting && state !== "alarm" && model.on_rest_s !== null && seen.t_s - model.on_rest_s >= PAUSE_S;
  const heaved = !pausing && (state === "set" || state === "learning") ? heave(model.recent, now_ms) : null;
  if (heaved) wake.at(heaved.until_ms);
  const felt = blind(state, seen, guidance);
  const band = (lifting && !felt && seen.band) || "none";
  const resting = pausing ? "pause" : (lifting && seen.resting) || "none";
  const now = {
    state,
    reason,
    band,
    resting,
    heave: heaved?.cue ?? null,
    set: seen?.set ?? null,
    phase: seen?.phase ?? null,
    reps: seen?.rep ?? null,
    stage: [...model.open.values()].find((record) => record.kind === "stage")?.stage ?? null,
    under_load_s: lifting ? seen.under_load_s : null,
    under_tension_s: lifting && seen.load_from !== "unknown" ? seen.under_tension_s : null,
    tension: lifting && !felt ? seen.tension : null,
    force_n: lifting ? seen.tension_n : null,
    half: model.info?.protocol?.band ?? BAND,
    position: seen?.position == null ? null : clamp(seen.position, 0, 1),
    pace: lifting && seen.pace !== null ? clamp(seen.pace, 0, 1) : null,
    load_kg: seen?.load_n == null ? null : kilograms(seen.load_n),
    given_kg: model.info?.machine?.working_load_n == null ? null : kilograms(model.info.machine.working_load_n),
    load_from: seen?.load_from ?? "unknown",
    protocol: protocolName(model.info?.protocol),
    kind: model.info?.machine?.kind ?? "stack",
    faults: model.recent
      .map(({ record }) => record)
      .filter((record) => isFault(record) && record.set === model.set && model.set !== null),
    whole: model.whole,
    last: model.ended,
    unstable: model.status?.link === "unstable",
    seconds: wholeSeconds(model, state, reason, wake, countdown_ms),
  };
  now.cue = cueNow(now, model, heaved);
  now.correcting = state === "set" && isCorrection(now.cue);
  now.veiled = veiled(now, guidance, felt);
  now.next_ms = wake.next_ms;
  return now;
}

function stateNow(model, now_ms, wake, countdown_ms, dismissed) {
  const reported = model.status?.state;
  const age_ms = now_ms - model.feedback_ms;
  if (!model.up) return model.attempts ? { state: "offline", reason: "broker" } : { state: "connecting", reason: null };
  const stale_ms = staleAfter_ms(model);
  if (age_ms >= stale_ms) {
    if (reported === "offline") return { state: "offline", reason: "machine" };
    if (!reported && !model.feedback) {
      wake.at(model.connected_ms + ABSENT_MS);
      const absent = now_ms - model.connected_ms >= ABSENT_MS;
      return absent ? { state: "offline", reason: "machine" } : { state: "connecting", reason: null };
    }
    return { state: "stale", reason: staleReason(model) };
  }
  wake.at(model.feedback_ms + stale_ms);
  const { fault, set, load_from, band } = model.feedback;
  if (fault) return { state: "fault", reason: fault };
  if (band !== "in" && band !== "low" && isOpen(model, "force_ceiling")) return { state: "alarm", reason: null };
  if (set !== null) return { state: load_from === "unknown" ? "learning" : "set", reason: null };
  if (countdown_ms !== null && now_ms < countdown_ms + BEGIN_MS) {
    wake.at(countdown_ms + BEGIN_MS);
    return { state: "countdown", reason: now_ms < countdown_ms ? "count" : "begin" };
  }
  if (model.ended && model.ended !== dismissed && now_ms - model.ended_ms < SUMMARY_MS) {
    wake.at(model.ended_ms + SUMMARY_MS);
    return { state: "summary", reason: null };
  }
  return { state: "idle", reason: null };
}

/** How long feedback is current: a machine at rest publishes less often, and says so. */
export function staleAfter_ms(model) {
  return Math.max(STALE_MS, (LATE * 1000) / (model.feedback?.feedback_hz ?? LIVE_HZ));
}

function staleReason(model) {
  const link = model.status?.link;
  if (!["none", "live", undefined].includes(link)) return link;
  return model.feedback ? "late" : "waiting";
}

function isOpen(model, kind) {
  return [...model.open.values()].some((record) => record.kind === kind);
}

/** The seconds to show: until the next attempt or the start, or since the last data. */
function wholeSeconds(model, state, reason, wake, countdown_ms) {
  if (state === "countdown" && reason === "count") return wake.down(countdown_ms);
  if (state === "offline" && reason === "broker") return Math.max(0, wake.down(model.next_ms));
  if (state === "stale" && model.feedback) return wake.up(model.feedback_ms);
  return null;
}

function cueNow(now, model, heaved) {
  if (now.state === "alarm") return "force_ceiling";
  if (now.state === "countdown") return now.reason === "count" ? "ready" : "begin";
  if (now.state === "idle" || now.state === "summary") return "ready";
  if (now.state !== "set" && now.state !== "learning") return now.state;
  if (now.resting === "pause") return "pause";
  const { cue, resting } = model.feedback;
  const phase = now.state === "learning" ? "learning" : model.feedback.phase;
  const sent = (cue === "low" || cue === "high") && now.band === "none" ? null : cue;
  const open = [...model.open.values()].map((record) => rowOf(record).cue).filter((cue) => LASTING.has(cue));
  return setCue({ sent, heaved, resting, band: now.band, phase, open });
}

// Guidance can fade for a lifter who no longer needs it: first the page hides what is right, then it hides the band in
// every other repetition. It always shows heave, rest, alarm and sensor faults.

/** Whether this repetition is done without the band. */
function blind(state, seen, guidance) {
  return state === "set" && guidance === "alternate" && seen.rep % 2 === 1;
}

/** Whether the bar is hidden because nothing is wrong. */
function veiled(now, guidance, felt) {
  if (now.state !== "set" || guidance === "always") return false;
  return (felt || now.band === "in") && now.resting === "none" && now.heave === null && !now.correcting;
}

class Wake {
  next_ms = Infinity;

  constructor(now_ms) {
    this.now_ms = now_ms;
  }

  at(due_ms) {
    if (due_ms > this.now_ms) this.next_ms = Math.min(this.next_ms, due_ms);
  }

  down(due_ms) {
    const left = Math.ceil((due_ms - this.now_ms) / 1000);
    this.at(due_ms - (left - 1) * 1000);
    return left;
  }

  up(since_ms) {
    const gone = Math.floor((this.now_ms - since_ms) / 1000);
    this.at(since_ms + (gone + 1) * 1000);
    return gone;
  }
}
