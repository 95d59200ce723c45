// What this page may ask of the machine: the server knows who opened it, and the broker holds everybody to it.
//
// may.json is {"v": 1, "role": ..., "may": ["resume", "protocol", ...]}; a page that is told nothing only watches.

import { json } from "./words.js";

/** The names of the commands. Asked anew whenever somebody wants to choose: a page may have been let in meanwhile. */
export async function loadMay() {
  try {
    return new Set((await json("may.json")).may);
  } catch (error) {
    console.info(`this page only watches: ${error.message}`);
    return new Set();
  }
}
