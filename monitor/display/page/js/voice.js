// Spoken cues: at most one in two seconds, alarm before heave before rest before pace.
//
// The words come from the cue pack, the voice is the browser's for the pack's language. A voice that would send the
// words to another server is not used; if there is no other voice, the page says so.

import { urgency } from "./kinds.js";

const APART_MS = 2000;
const AGAIN_MS = { alarm: 2000, heave: 2000, rest: 4000, pace: 6000 }; // between two times of the same word
const ORDER = Object.keys(AGAIN_MS);
const urgencyOf = (cue) => (cue === "begin" ? "pace" : urgency(cue)); // "begin" belongs to the countdown

/** The cue to say now, or null. `spoken` maps each cue to its last time. */
export function chooseCue(now, now_ms, spoken) {
  if (now_ms - Math.max(-Infinity, ...spoken.values()) < APART_MS) return null;
  const wanted = [now.state === "alarm" ? "force_ceiling" : null, now.heave, now.resting, now.cue, now.band].filter(
    urgencyOf,
  );
  const due = wanted.filter((cue) => now_ms - (spoken.get(cue) ?? -Infinity) >= AGAIN_MS[urgencyOf(cue)]);
  return due.sort((one, other) => ORDER.indexOf(urgencyOf(one)) - ORDER.indexOf(urgencyOf(other)))[0] ?? null;
}

/** A local voice for the language, or null. */
export function findVoice(voices, language) {
  const speaks = (voice) =>
    voice.localService && voice.lang.toLowerCase().split(/[-_]/)[0] === language.toLowerCase().split("-")[0];
  return voices.filter(speaks).sort((one, other) => other.default - one.default)[0] ?? null;
}

export class Voice {
  #spoken = new Map();
  #voice = null; // null until the browser has listed its voices
  #words;
  on = false;
  said = 0;

  constructor(words) {
    this.#words = words;
    if (!("speechSynthesis" in globalThis)) return;
    const find = () => (this.#voice = findVoice(speechSynthesis.getVoices(), words.pack.language));
    speechSynthesis.addEventListener("voiceschanged", find);
    find();
  }

  /** Whether there is a voice. */
  get able() {
    return this.#voice !== null;
  }

  hear(now, now_ms) {
    if (!this.on || !this.able) return;
    const cue = chooseCue(now, now_ms, this.#spoken);
    if (cue === null) return;
    this.#spoken.set(cue, now_ms);
    this.said += 1;
    const utterance = new SpeechSynthesisUtterance(this.#words.spoken(cue));
    Object.assign(utterance, { voice: this.#voice, lang: this.#voice.lang, rate: 1.15 });
    speechSynthesis.cancel(); // a late cue is useless
    speechSynthesis.speak(utterance);
  }

  silence() {
    this.on = false;
    globalThis.speechSynthesis?.cancel();
  }
}
