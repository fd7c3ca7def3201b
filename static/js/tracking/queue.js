// Positions that the server has not acknowledged yet, by person: they outlive a reload and a dead network.
import { keep } from "../kept.js";

const { run, forget } = keep("callout-fixes", "fixes", ["me", "at"]);

// In the order in which they were measured.
export async function load(me) {
  const kept = (await run("readonly", (store) => store.getAll())) ?? [];
  return kept.filter((fix) => fix.me === me).map(({ me: _, ...fix }) => fix).sort((a, b) => a.at - b.at);
}

export const put = (me, fix) => run("readwrite", (store) => store.put({ me, ...fix }));

export const drop = (me, times) => run("readwrite", (store) => { for (const at of times) store.delete([me, at]); });

// Where somebody was is their own: whoever signs out leaves none of it behind.
export const forgetAll = forget;
