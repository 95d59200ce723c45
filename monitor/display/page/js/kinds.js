// Finds an event's row in the vocabulary: what it is called, and whether it is the lifter's fault.

import { CUES, ROWS } from "./vocabulary.js";

const BY_KIND = Map.groupBy(ROWS, ({ kind }) => kind);

/** The most particular row that holds for the record; an unknown kind is shown under its own name. */
export function rowOf(record) {
  return BY_KIND.get(record.kind)?.find((row) => holds(row, record)) ?? unknown(record.kind);
}

/** The row of a sensor fault by the cause that live feedback gives. */
export function sensorFault(cause) {
  return rowOf({ kind: "sensor_fault", cause });
}

/** The lifter's. One physical act is one fault: a part of another event is not counted again. */
export function isFault(record) {
  return record.part_of === null && rowOf(record).fault;
}

/** Worth a line of its own for a trainer who looks on. */
export function isListed(record) {
  return record.part_of === null && rowOf(record).listed;
}

/** alarm, heave, rest or pace; undefined for what is no event's cue. */
export function urgency(cue) {
  return CUES.find(({ key }) => key === cue)?.urgency;
}

function holds(row, record) {
  return Object.entries(row.when ?? {}).every(([field, value]) => record[field] === value);
}

function unknown(kind) {
  return { key: kind, kind, tone: "plain", fault: false, listed: false, icon: "heave", name: { en: kind } };
}
