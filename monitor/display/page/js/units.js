// Newtons, the kilograms that weigh as much, and kg or lb as the person has chosen.

import { inOrder } from "./direction.js";

export const STANDARD_GRAVITY_M_S2 = 9.80665;
const KG_PER_LB = 0.45359237;
let unit = "kg";

export function kilograms(force_n) {
  return force_n / STANDARD_GRAVITY_M_S2;
}

export function newtons(mass_kg) {
  return mass_kg * STANDARD_GRAVITY_M_S2;
}

/** Chooses the unit of everything that the page shows: kg or lb. */
export function useUnit(chosen) {
  unit = chosen === "lb" ? "lb" : "kg";
}

export function unitName() {
  return unit;
}

/** Kilograms as a number in the chosen unit. */
export function inUnit(mass_kg) {
  return unit === "lb" ? mass_kg / KG_PER_LB : mass_kg;
}

/** A number in the chosen unit as kilograms. */
export function fromUnit(value) {
  return unit === "lb" ? value * KG_PER_LB : value;
}

/** 82 kg or 181 lb */
export function weight(mass_kg, digits = 0) {
  return inOrder(`${Number(inUnit(mass_kg).toFixed(digits))} ${unit}`);
}
