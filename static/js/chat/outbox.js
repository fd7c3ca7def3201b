// What was written and has not reached the server yet, text and files, by person: it outlives a reload. Where the
// browser keeps nothing (a private window), it lives as long as the page.
import { keep } from "../kept.js";

const { run, forget } = keep("callout-outbox", "messages", "id");
const memory = new Map();

// Kept in memory too: a file that the store refuses (no room) is at least sent from this page.
export async function put(entry) {
  memory.set(entry.id, entry);
  await run("readwrite", (store) => store.put(entry));
}

export async function remove(id) {
  memory.delete(id);
  await run("readwrite", (store) => store.delete(id));
}

// Everything that `me` has not sent, in the order in which it was written.
export async function all(me) {
  const kept = (await run("readonly", (store) => store.getAll())) ?? [];
  const found = new Map(kept.map((entry) => [entry.id, entry]));
  for (const [id, entry] of memory) found.set(id, entry);
  return [...found.values()].filter((entry) => entry.me === me).sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
}

// Signing out forgets it, as it does drafts: the next person at this browser finds nothing.
export function forgetAll() {
  memory.clear();
  forget();
}
