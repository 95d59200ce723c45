// Optional sounds: alarm before heave before rest before pace; silent until somebody turns them on.
//
//   alarm   two short high tones          heave   a falling pair
//   rest    a low tone                    low     a lower one       high   a rising one
//   tick    a soft tick each second under load, and while it counts down

const PRIORITY = ["alarm", "heave", "rest", "high", "low", "begin", "tick"];
const AGAIN_MS = { alarm: 700, heave: 1200, rest: 1200, high: 1200, low: 1200, begin: 60000, tick: 900 };
const TONES = {
  // [from Hz, to Hz, starts s, lasts s, loudness, wave: a small speaker cannot play a low sine]
  alarm: [
    [1320, 1320, 0, 0.09, 0.5],
    [1320, 1320, 0.16, 0.09, 0.5],
  ],
  heave: [[660, 440, 0, 0.22, 0.4]],
  rest: [[196, 196, 0, 0.28, 0.5, "triangle"]],
  low: [[147, 147, 0, 0.35, 0.55, "triangle"]],
  high: [[440, 880, 0, 0.25, 0.35]],
  tick: [[1000, 1000, 0, 0.02, 0.12]],
  begin: [[587, 880, 0, 0.3, 0.3]],
};

/** The sound that is due, or null. `played` maps each to its last time, `last_s` is the last second with a tick. */
export function chooseSound(now, now_ms, played, last_s) {
  const wanted = {
    alarm: now.state === "alarm",
    heave: now.heave !== null,
    rest: now.resting === "lockout" || now.resting === "bottom",
    high: now.state === "set" && now.band === "high",
    low: now.state === "set" && now.band === "low",
    begin: now.state === "countdown" && now.reason === "begin",
    tick: second(now) !== null && second(now) !== last_s,
  };
  return PRIORITY.find((name) => wanted[name] && now_ms - (played.get(name) ?? -Infinity) >= AGAIN_MS[name]) ?? null;
}

function second(now) {
  return now.state === "countdown" ? now.seconds : now.under_load_s === null ? null : Math.floor(now.under_load_s);
}

export class Sound {
  #context = null;
  #played = new Map();
  #last_s = null;
  on = false;
  played = 0;
  changed = () => {}; // called when it becomes audible, or no longer is

  /** Must be called from a tap: browsers allow nothing else. */
  toggle() {
    this.on = !this.on;
    this.#context ??= this.#opened();
    if (this.on) this.resume();
    else this.suspend();
    return this.on;
  }

  /** Whether it can be heard: the system may suspend what was turned on. */
  get audible() {
    return this.on && this.#context?.state === "running";
  }

  /** After a touch, or when the page is seen again: plays on where the system suspended it. */
  resume() {
    if (this.on && this.#context.state !== "running")
      this.#context.resume().catch((error) => console.info(`no sound yet: ${error.message}`));
  }

  suspend() {
    this.#context.suspend();
  }

  #opened() {
    const context = new AudioContext();
    context.addEventListener("statechange", () => this.changed());
    return context;
  }

  hear(now, now_ms) {
    if (!this.on || this.#context.state !== "running") return;
    const name = chooseSound(now, now_ms, this.#played, this.#last_s);
    this.#last_s = second(now);
    if (!name) return;
    this.#played.set(name, now_ms);
    this.played += 1;
    for (const tone of TONES[name]) this.#tone(...tone);
  }

  #tone(from_hz, to_hz, starts_s, lasts_s, loudness, type = "sine") {
    const begin_s = this.#context.currentTime + starts_s;
    const oscillator = new OscillatorNode(this.#context, { type, frequency: from_hz });
    const gain = new GainNode(this.#context, { gain: 0 });
    oscillator.frequency.linearRampToValueAtTime(to_hz, begin_s + lasts_s);
    gain.gain.setValueAtTime(0, begin_s);
    gain.gain.linearRampToValueAtTime(loudness, begin_s + 0.008); // avoids a click
    gain.gain.exponentialRampToValueAtTime(0.001, begin_s + lasts_s);
    oscillator.connect(gain).connect(this.#context.destination);
    oscillator.start(begin_s);
    oscillator.stop(begin_s + lasts_s + 0.01);
  }
}
