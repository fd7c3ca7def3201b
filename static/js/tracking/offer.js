// An offer over the page: its receipt goes out when it is on the screen, what lies below cannot be reached by keyboard
// while it stands, and the focus returns to where it was.
import { paintRings } from "./countdown.js";

const BELOW = ".skip-link, .app-header, main > :not([data-offer])";
const CARET = "input, textarea, select, [contenteditable]";
const AGAIN = 2000;
const headers = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}");
const received = new Set(); // ids whose receipt is out
const small = new Set(); // ids that were put off
let standing = ""; // the card that covers the page
let before = null; // what had the focus

const onScreen = (card) => document.visibilityState === "visible" && card.getClientRects().length > 0;

async function receipt(card) {
  const id = card.dataset.offer;
  if (received.has(id) || !onScreen(card)) return;
  received.add(id);
  try {
    const answer = await fetch(card.dataset.seenUrl, { method: "POST", headers });
    if (answer.status < 500 && answer.status !== 429) return;
  } catch { /* no network: again */ }
  received.delete(id);
  setTimeout(look, AGAIN);
}

// Whoever writes just now is not interrupted: the page below stays reachable until the caret leaves the field.
function cover(card) {
  const active = document.activeElement;
  if (active?.matches(CARET) && !card.contains(active)) return;
  if (!before && active && active !== document.body && !card.contains(active)) before = active;
  for (const part of document.querySelectorAll(BELOW)) part.inert = true;
  if (before && !card.contains(document.activeElement)) card.focus({ preventScroll: true });
}

function uncover() {
  for (const part of document.querySelectorAll(BELOW)) part.inert = false;
  if (before && (document.activeElement === document.body || !document.activeElement)) {
    (before.isConnected ? before : document.getElementById("main"))?.focus({ preventScroll: true });
  }
  before = null;
}

// "Later" makes it small and frees the page; it stays, and counts down.
document.addEventListener("click", (event) => {
  const card = event.target.closest("[data-offer-later]")?.closest("[data-offer]");
  if (!card) return;
  small.add(card.dataset.offer);
  look();
});

function arrive(id) {
  standing = id;
  const dialog = document.getElementById("dialog");
  if (dialog?.open && !dialog.querySelector("textarea, input:not([type=hidden])")) dialog.close(); // nothing is lost by it
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.([200, 100, 200]);
}

export function look() {
  for (const each of document.querySelectorAll("[data-offer]")) {
    each.classList.toggle("is-later", small.has(each.dataset.offer));
    receipt(each);
  }
  const card = document.querySelector("[data-offer]:not(.is-waiting, .is-later)");
  document.documentElement.toggleAttribute("data-offered", card !== null);
  paintRings();
  if (!card) {
    if (standing) { standing = ""; uncover(); }
    return;
  }
  if (card.dataset.offer !== standing) arrive(card.dataset.offer);
  cover(card);
}

document.addEventListener("live:applied", look);
document.addEventListener("visibilitychange", look);
document.addEventListener("focusout", () => { if (standing) setTimeout(look); });
