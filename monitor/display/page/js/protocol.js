// The short name of a protocol: a preset's, else its seconds up and down.

/** `protocol` is that of the machine's info; null if it is not known yet. */
export function protocolName(protocol) {
  if (!protocol) return null;
  return protocol.name ?? `${protocol.positive_s}/${protocol.negative_s}`;
}
