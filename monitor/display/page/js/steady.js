// Keeps what is shown for a minimum time, so that nothing flashes more than three times a second.

import { isCorrection } from "./cue.js";

export const LEAST_MS = 200; // two changes make a flash: at most 2.5 flashes a second

export class Hold {
  #value;
  #since_ms = -Infinity;
  #least_ms = 0;

  constructor(value) {
    this.#value = value;
  }

  /** What to show now. Once shown, `value` stays for `least_ms`; an urgent one is shown at once. */
  next(value, now_ms, least_ms = LEAST_MS, urgent = false) {
    if (value !== this.#value && (urgent || now_ms - this.#since_ms >= this.#least_ms)) {
      this.#value = value;
      this.#since_ms = now_ms;
      this.#least_ms = least_ms;
    }
    return this.#value;
  }

  /** When a delayed change may be shown. */
  get due_ms() {
    return this.#since_ms + this.#least_ms;
  }
}

const STAY_MS = { alarm: 1000, fault: 600, stale: 400 }; // minimum times
const URGENT = new Set(["alarm", "fault", "stale", "offline"]); // shown at once
const BLANK = new Set(["stale", "fault", "offline", "connecting"]); // nothing live is shown in these states
const CUE_MS = 400; // the time to read a word

/** Keeps state, look and word each for their minimum time. */
export class Steady {
  #state = new Hold("connecting");
  #look = new Hold("");
  #cue = new Hold("");
  #before = null;

  /** Changes `now` where something must stay longer; then `now.next_ms` says until when. */
  steady(now, now_ms) {
    const wanted = now.state;
    now.state = this.#state.next(wanted, now_ms, STAY_MS[wanted] ?? LEAST_MS, URGENT.has(wanted));
    if (now.state !== wanted) {
      if (BLANK.has(now.state)) Object.assign(now, { band: "none", resting: "none", heave: null, tension: null });
      now.reason = this.#before.reason;
      now.cue = this.#before.cue;
      now.next_ms = Math.min(now.next_ms, this.#state.due_ms);
    }
    const look = JSON.stringify([now.band, now.resting, now.heave]);
    const changed = this.#before?.state !== now.state;
    const kept = this.#look.next(look, now_ms, LEAST_MS, changed);
    if (kept !== look) {
      [now.band, now.resting, now.heave] = JSON.parse(kept);
      now.next_ms = Math.min(now.next_ms, this.#look.due_ms);
    }
    const cue = this.#cue.next(now.cue, now_ms, CUE_MS, changed || now.heave !== null || now.state !== "set");
    if (cue !== now.cue) now.next_ms = Math.min(now.next_ms, this.#cue.due_ms);
    if (cue !== now.cue) now.correcting = now.state === "set" && isCorrection(cue);
    now.cue = cue;
    this.#before = { state: now.state, reason: now.reason, cue };
    return now;
  }
}
