// Sends what is in the outbox: in order, one at a time, each with the id it was written with, so nothing doubles.
import { apply } from "../live/apply.js";
import { me } from "./me.js";
import { all, put, remove } from "./outbox.js";
import { post } from "./post.js";

const WAIT_FROM = 2000;
const WAIT_MOST = 30_000;
let running = false;
let again = false;
let tries = 0;
let timer = 0;

// Whoever shows messages on their way hears of each of their steps.
const tell = (entry, state, more = {}) =>
  document.dispatchEvent(new CustomEvent("chat:outgoing", { detail: { entry, state, ...more } }));

export async function send(entry) {
  await put(entry);
  tell(entry, "sending");
  flush();
}

export async function retry(entry) {
  await put({ ...entry, failed: "" });
  tell(entry, "sending");
  flush();
}

export async function drop(entry) {
  await remove(entry.id);
  tell(entry, "dropped");
}

// Everything that waits, now; a wish during a run is one more run.
export async function flush() {
  if (running) { again = true; return; }
  running = true;
  again = false;
  clearTimeout(timer);
  try {
    const waiting = (await all(me())).filter((entry) => !entry.failed);
    for (const entry of waiting) {
      const wait = await deliver(entry);
      if (wait === null) continue;
      timer = setTimeout(flush, wait);
      again = false;
      break;
    }
  } finally {
    running = false;
  }
  if (again) flush();
}

// Returns null when this message is settled, else how long everything behind it waits.
async function deliver(entry) {
  tell(entry, "sending");
  const answer = await post(entry, (share) => tell(entry, "sending", { share }));
  if (answer.status === 200) {
    tries = 0;
    await remove(entry.id);
    if (answer.piece) apply([answer.piece]); // as the push: whichever comes first, the same element
    tell(entry, "sent");
    return null;
  }
  if (answer.status === 429) { tell(entry, "waiting", { sentence: answer.sentence }); return Math.max(1000, answer.wait ?? 0); }
  if (answer.status >= 400 && answer.status < 500 && answer.status !== 401) {
    const failed = answer.sentence || "This message was not taken.";
    await put({ ...entry, failed });
    tell({ ...entry, failed }, "failed", { sentence: failed });
    return null;
  }
  tries += 1;
  tell(entry, "waiting");
  return Math.min(WAIT_MOST, WAIT_FROM * 2 ** (tries - 1));
}

// Back in touch: at once.
for (const kind of ["live:welcome", "live:polled"]) document.addEventListener(kind, () => { tries = 0; flush(); });
addEventListener("online", () => { tries = 0; flush(); });
