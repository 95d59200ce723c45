// The short name of a protocol: a preset's, else its seconds up and down.

/** The presets of machines that move. */
export const TEMPOS = ["10/10", "5/5", "4/4", "2/4", "30-30-30"];

/** `protocol` is that of the machine's info; null if it is not known yet. */
export function protocolName(protocol) {
  if (!protocol) return null;
  return protocol.name ?? `${protocol.positive_s}/${protocol.negative_s}`;
}
