// One store in the browser's own database. What is asked of it answers undefined where the browser keeps nothing (a
// private window, no room): whoever uses it keeps a copy in memory too.
export function keep(name, store, keyPath) {
  let opening = null;

  function open() {
    opening ??= new Promise((resolve) => {
      try {
        const request = indexedDB.open(name, 1);
        request.onupgradeneeded = () => request.result.createObjectStore(store, { keyPath });
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

  // `act(store)` returns the request whose result is wanted, if any.
  async function run(mode, act) {
    const base = await open();
    if (!base) return undefined;
    return new Promise((resolve) => {
      try {
        const deal = base.transaction(store, mode);
        const request = act(deal.objectStore(store));
        deal.oncomplete = () => resolve(request?.result);
        deal.onerror = deal.onabort = () => resolve(undefined);
      } catch { resolve(undefined); }
    });
  }

  function forget() {
    try { indexedDB.deleteDatabase(name); } catch { /* nothing is kept here */ }
  }

  return { run, forget };
}
