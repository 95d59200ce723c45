// Numbers and times as people read them: local time, loads in the chosen unit, a dash for what is not known.

import { fromUnit, inUnit, kilograms, newtons, unitName, weight } from "../shared/js/units.js";

const NOTHING = "–";
const MINUTE_S = 60;

/** 82 kg */
export const load = (load_n) => (load_n === null ? NOTHING : weight(kilograms(load_n), 1));

/** 82, in the chosen unit, for a field or a card. */
export const loadNumber = (load_n) => (load_n === null ? "" : String(Number(inUnit(kilograms(load_n)).toFixed(1))));

/** What was typed into a field, in newtons; null for an empty one. */
export const loadTyped = (text) => (text.trim() === "" ? null : newtons(fromUnit(Number(text))));

export const loadUnit = unitName;

/** 72 s */
export const seconds = (value_s) => (value_s === null ? NOTHING : `${Math.round(value_s)} s`);

/** 45 s, 4 min: from one machine to the next. */
export function pause(value_s) {
  if (value_s === null) return NOTHING;
  return value_s < 2 * MINUTE_S ? seconds(value_s) : `${Math.round(value_s / MINUTE_S)} min`;
}

/** 78 % */
export const percent = (share) => (share === null ? NOTHING : `${Math.round(100 * share)} %`);

const at = (unix_s) => new Date(1000 * unix_s);

/** 14:03 */
export const time = (unix_s) => at(unix_s).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

/** 14:03:27 */
export const exactTime = (unix_s) => at(unix_s).toLocaleTimeString();

/** Sat, Nov 29 */
export const day = (unix_s) => at(unix_s).toLocaleDateString([], { weekday: "short", day: "numeric", month: "short" });

/** 11/29/2026 */
export const date = (unix_s) => at(unix_s).toLocaleDateString();

/** 29 Nov, in as little room as a card has. */
export const shortDay = (unix_s) => at(unix_s).toLocaleDateString([], { day: "numeric", month: "short" });

/** Nov 2026 */
export const month = (unix_s) => at(unix_s).toLocaleDateString([], { month: "short", year: "numeric" });

/** A day of a form, such as 2026-11-29, in the way of this screen. */
export const isoDay = (iso) => new Date(`${iso}T12:00`).toLocaleDateString();

/** Today as a form has it: 2026-11-29 */
export function today() {
  const now = new Date();
  return [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}

/** When this screen's day began. */
export const dayBegan = () => new Date().setHours(0, 0, 0, 0) / 1000;

/** 1 visit, 3 visits */
export const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;
