// Newtons and the kilograms that weigh as much.

export const STANDARD_GRAVITY_M_S2 = 9.80665;

export function kilograms(force_n) {
  return force_n / STANDARD_GRAVITY_M_S2;
}

export function newtons(mass_kg) {
  return mass_kg * STANDARD_GRAVITY_M_S2;
}
