// Finds the row of an event in the vocabulary: its name, and whether it is the lifter's fault.

import { CUES, ROWS } from "./vocabulary.js";

const BY_KIND = Map.groupBy(ROWS, ({ kind }) => kind);

/** The most particular row that fits the record; an unknown kind is shown under its own name. */
export function rowOf(record) {
  return BY_KIND.get(record.kind)?.find((row) => holds(row, record)) ?? unknown(record.kind);
}

/** The row of a sensor fault by its cause, as live feedback gives it. */
export function sensorFault(cause) {
  return rowOf({ kind: "sensor_fault", cause });
}

/** The first row with this cue; undefined if no event has it. */
export function rowWithCue(cue) {
  return ROWS.find((row) => row.cue === cue);
}

/** Whether it is a fault of the lifter. One physical act is one fault: a part of another event does not count again. */
export function isFault(record) {
  return record.part_of === null && rowOf(record).fault;
}

/** Whether it gets its own line in a list for a trainer. */
export function isListed(record) {
  return record.part_of === null && rowOf(record).listed;
}

/** The urgency of an event's cue: alarm, heave, rest or pace; undefined for other cues. */
export function urgency(cue) {
  return CUES.find(({ key }) => key === cue)?.urgency;
}

function holds(row, record) {
  return Object.entries(row.when ?? {}).every(([field, value]) => record[field] === value);
}

function unknown(kind) {
  return { key: kind, kind, tone: "plain", fault: false, listed: false, icon: "heave", name: { en: kind } };
}
