// The words on the page, from a cue pack: one JSON file in cues/, listed in cues/index.json.

import { useDirection } from "./direction.js";
import { rowOf } from "./kinds.js";
import { unitName } from "./units.js";
import { LEAKS } from "./vocabulary.js";

const LONGEST_CUE = 8;

export class Words {
  constructor(pack) {
    this.pack = pack;
  }

  /** The word for a cue; a cue that is not in the pack is shown as it is. */
  cue(key) {
    return (this.pack.cues[key] ?? key).slice(0, LONGEST_CUE).toLocaleUpperCase(this.pack.language);
  }

  /** The words for a voice. */
  spoken(key) {
    return this.pack.spoken[key] ?? (this.pack.cues[key] ?? key).toLocaleLowerCase(this.pack.language);
  }

  text(key, ...values) {
    const text = this.pack.texts[key] ?? key;
    return values.reduce((filled, value, at) => filled.replace(`{${at}}`, value), text);
  }

  /** A text of the vocabulary, unless the pack has its own for `key`. */
  word(key, words) {
    return this.pack.texts[key] ?? words[this.pack.language.split("-")[0]] ?? words.en;
  }

  /** The name of a row of the vocabulary. */
  name(row) {
    return this.word(`event.${row.key}`, row.name);
  }

  /** The remedy of a row. */
  remedy(row) {
    return this.word(`remedy.${row.key}`, row.remedy);
  }

  /** The name of a cause of leak, a field of the summary's `leak`. */
  leak(field) {
    return field in LEAKS ? this.word(`leak.${field}`, LEAKS[field]) : this.text(`leak.${field}`);
  }

  /** The name of one event. */
  event(record) {
    return this.name(rowOf(record)) + (record.kind === "stage" ? ` ${record.stage}` : "");
  }

  has(key) {
    return key in this.pack.texts;
  }

  /** Fills every element with data-text or data-label (its accessible name). */
  fill(root) {
    document.documentElement.lang = this.pack.language;
    useDirection(this.pack.language);
    for (const element of root.querySelectorAll("[data-text]"))
      element.textContent = this.text(element.dataset.text, unitName());
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

/** The words of a language; null: the browser's. */
export async function loadWords(language, packs) {
  const wanted = language ?? navigator.language.slice(0, 2);
  const id = wanted in packs ? wanted : Object.keys(packs)[0];
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
