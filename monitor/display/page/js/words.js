// The words on the page: a cue pack is one JSON file in cues/, listed in cues/index.json.

const LONGEST_CUE = 8;

export class Words {
  constructor(pack) {
    this.pack = pack;
  }

  /** The word for a cue; what is no key of the pack is a word already. */
  cue(key) {
    return (this.pack.cues[key] ?? key).slice(0, LONGEST_CUE).toLocaleUpperCase(this.pack.language);
  }

  /** The same cue for a voice. */
  spoken(key) {
    return this.pack.spoken[key] ?? (this.pack.cues[key] ?? key).toLocaleLowerCase(this.pack.language);
  }

  text(key, ...values) {
    const text = this.pack.texts[key] ?? key;
    return values.reduce((filled, value, at) => filled.replace(`{${at}}`, value), text);
  }

  has(key) {
    return key in this.pack.texts;
  }

  /** Fills every element with data-text or data-label (its accessible name). */
  fill(root) {
    document.documentElement.lang = this.pack.language;
    for (const element of root.querySelectorAll("[data-text]")) element.textContent = this.text(element.dataset.text);
    for (const element of root.querySelectorAll("[data-label]")) {
      element.setAttribute("aria-label", this.text(element.dataset.label));
    }
  }

  seconds(value_s) {
    return this.text("seconds", Math.round(value_s));
  }
}

export async function listPacks() {
  const { packs } = await json("cues/index.json");
  return packs;
}

export async function loadWords(language, packs) {
  const id = language in packs ? language : Object.keys(packs)[0];
  return new Words({ id, ...(await json(`cues/${id}.json`)) });
}

export async function json(url) {
  const answer = await fetch(url, { cache: "no-cache" });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.json();
}

/** 0:42 */
export function clock(value_s) {
  const whole = Math.floor(value_s);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** The name of an event for a person. */
export function eventName(words, record) {
  if (record.kind === "tension_out") return words.text(`event.tension_out.${record.side}`);
  if (record.kind === "turnaround") return words.text(`event.turnaround.${record.grade}`);
  if (record.kind === "stack_touch" && record.slam) return words.text("event.slam");
  if (record.kind === "stage") return `${words.text("event.stage")} ${record.stage}`;
  if (record.kind === "sensor_fault") return words.text(`fault.${record.cause}`);
  return words.text(`event.${record.kind}`);
}

/** Its shape, a symbol of the page's sprite. */
export function eventIcon(record) {
  if (record.kind === "tension_out") return record.side;
  if (record.kind === "turnaround") return record.grade === "bounce" ? "heave" : "turn";
  return (
    {
      lockout_rest: "rest",
      bottom_rest: "rest",
      stack_touch: "down",
      drop: "negative",
      force_ceiling: "alarm",
      sensor_fault: "fault",
    }[record.kind] ??
    {
      set_start: "ready",
      set_end: "ready",
      stage: "ready",
      unload: "low",
      slack: "low",
      speed_over: "fast",
      stall: "rest",
      failure: "alarm",
    }[record.kind] ??
    "heave"
  );
}
