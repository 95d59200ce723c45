// What this page may do. The server knows the visitor's role, and the broker enforces it.
//
// may.json is {"v": 1, "role": ..., "may": ["resume", ...], "invite": ...}. Without it the page only watches.

import { json } from "./words.js";

/** The names of the commands. Loaded each time the chooser opens, because the permission may have changed. */
export async function loadPermissions() {
  return new Set((await rights()).may);
}

/** Whether this page may let new screens in. */
export async function mayInvite() {
  return (await rights()).invite === true;
}

async function rights() {
  try {
    return await json("may.json");
  } catch (error) {
    console.info(`this page only watches: ${error.message}`);
    return { may: [] };
  }
}
