// What was written and has not reached the server yet, text and files, by person: it outlives a reload. Where the
// browser keeps nothing (a private window), it lives as long as the page.
const NAME = "callout-outbox";
const STORE = "messages";
const memory = new Map();
let opening = null;

function open() {
  opening ??= new Promise((resolve) => {
    try {
      const request = indexedDB.open(NAME, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
      request.onsuccess = () => {
        request.result.onversionchange = () => { request.result.close(); opening = null; }; // another page forgets all
        resolve(request.result);
      };
      request.onerror = () => resolve(null);
      request.onblocked = () => resolve(null);
    } catch { resolve(null); }
  });
  return opening;
}

async function inStore(mode, act) {
  const base = await open();
  if (!base) return undefined;
  return new Promise((resolve) => {
    try {
      const deal = base.transaction(STORE, mode);
      const request = act(deal.objectStore(STORE));
      deal.oncomplete = () => resolve(request.result);
      deal.onerror = deal.onabort = () => resolve(undefined);
    } catch { resolve(undefined); }
  });
}

// Kept in memory too: a file that the store refuses (no room) is at least sent from this page.
export async function put(entry) {
  memory.set(entry.id, entry);
  await inStore("readwrite", (store) => store.put(entry));
}

export async function remove(id) {
  memory.delete(id);
  await inStore("readwrite", (store) => store.delete(id));
}

// Everything that `me` has not sent, in the order in which it was written.
export async function all(me) {
  const kept = (await inStore("readonly", (store) => store.getAll())) ?? [];
  const found = new Map(kept.map((entry) => [entry.id, entry]));
  for (const [id, entry] of memory) found.set(id, entry);
  return [...found.values()].filter((entry) => entry.me === me).sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
}

// Signing out forgets it, as it does drafts: the next person at this browser finds nothing.
export function forgetAll() {
  memory.clear();
  try { indexedDB.deleteDatabase(NAME); } catch { /* nothing is kept here */ }
}
