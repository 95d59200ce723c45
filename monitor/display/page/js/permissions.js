// Which commands this page may send. The server knows the visitor's role, and the broker enforces it.
//
// may.json is {"v": 1, "role": ..., "may": ["resume", "protocol", ...]}; without it the page only watches.

import { json } from "./words.js";

/** The names of the commands. Loaded each time the chooser opens, because the permission may have changed. */
export async function loadPermissions() {
  try {
    return new Set((await json("may.json")).may);
  } catch (error) {
    console.info(`this page only watches: ${error.message}`);
    return new Set();
  }
}
