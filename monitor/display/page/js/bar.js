// Geometry of the tension bar: how high it stands for a tension.
//
// The band has a fixed place in the middle fifth, whatever its width. Inside it the bar rests in a dead band, so that
// tremor is not corrected with more tremor; at the band's edge and beyond it is exact.

const DEAD = 1 / 3; // of the band's half-width
export const BAND_SHARE = 0.2; // of the bar's height
const GAP = 0.015; // a bar that is out of its band is seen to be out of it

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
