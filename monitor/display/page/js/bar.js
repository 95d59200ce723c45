// Geometry of the tension bar: its level for a tension.
//
// The band always takes the middle fifth of the bar, whatever its width. Near its middle the bar stands still, so that
// nobody corrects a tremor with more tremor; at the band's edges and beyond it is exact.

const DEAD = 1 / 3; // of the band's half-width
export const BAND_SHARE = 0.2; // of the bar's height
const GAP = 0.015; // keeps a bar outside the band visibly outside

export function barLevel(tension, half, band) {
  const off = tension - 1;
  const size = Math.abs(off);
  const dead = half * DEAD;
  const shown = size <= dead ? 0 : size < half ? ((size - dead) * half) / (half - dead) : size;
  const level = clamp(0.5 + (Math.sign(off) * shown * BAND_SHARE) / (2 * half), 0, 1);
  const low = 0.5 - BAND_SHARE / 2;
  const high = 0.5 + BAND_SHARE / 2;
  if (band === "in") return clamp(level, low, high);
  if (band === "low") return Math.min(level, low - GAP);
  if (band === "high") return Math.max(level, high + GAP);
  return level;
}

export function clamp(value, least, most) {
  return Math.min(most, Math.max(least, value));
}
