// The page's own URL again: its live elements, lists and regions are swapped, its forms never.
import { reconcile } from "./pill.js";
import { page, settings } from "./settings.js";
import { essence, swap } from "./swap.js";
import { takeTail } from "./tail.js";
import { isOlder } from "./versions.js";
import { hold, isBusy } from "./waiting.js";

const handlers = { page() {}, signedOut() {}, lost() {} };
let running = null;
let again = false;
let asked = -Infinity;
let timer = 0;
const GAP = 300; // between two requests
const MOST = 30_000;
let gap = GAP;

// `page(cursor)` is told of every page taken, `signedOut()` and `lost()` of the two bad ends.
export const onRefresh = (given) => Object.assign(handlers, given);

// Several wishes become one request, a wish during a request one more.
export function refresh() {
  if (running) { again = true; return; }
  clearTimeout(timer);
  timer = 0;
  const rest = asked + gap - performance.now();
  if (rest > 0) { timer = setTimeout(refresh, rest); return; }
  asked = performance.now();
  running = once().finally(() => {
    running = null;
    if (again) { again = false; refresh(); }
  });
}

// A topic was lost or the cursor refused. Where that comes again and again, because page and rule disagree, it is
// asked ever more seldom, until settled().
export function recover() {
  gap = Math.min(2 * gap, MOST);
  refresh();
}

// A hello was answered and nothing was lost. With a request still to come that says nothing: what it will bring was not asked for.
export function settled() {
  if (!timer && !running) gap = GAP;
}

// Something may have become true of lists that gain no row by themselves: ask, debounced.
export function refreshSoon() {
  clearTimeout(refreshSoon.timer);
  refreshSoon.timer = setTimeout(refresh, 400);
}

async function once() {
  try {
    const found = await fetchOwn();
    if (found) takePage(found);
  } catch {
    setTimeout(refresh, 2000); // the network is away: the page stays as it is until it is back
  }
}

// The document at our own URL, or null when this page has ended (the handlers were told). Throws when there is no answer.
async function fetchOwn() {
  const answer = await fetch(page(), { headers: { Accept: "text/html", "X-Live-Refresh": "1" }, cache: "no-store" });
  const at = new URL(answer.url);
  if (answer.status === 401 || at.pathname === settings.signIn) { handlers.signedOut(); return null; }
  if (answer.status === 410) { location.reload(); return null; } // over: that page says so
  if (answer.status === 403 || answer.status === 404) { handlers.lost(); return null; }
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
  if (at.pathname !== location.pathname) { location.assign(answer.url); return null; }
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

const PARTS = "[data-live-region][id], [data-live-list][id], [data-live][id]";
const parts = (root) => [...root.querySelectorAll(PARTS)].filter((part) => {
  const around = part.parentElement.closest(PARTS);
  return !around || around === root;
});

// Take over what `doc` shows. What the page meanwhile learned of newer things comes again: the handler
// says hello with the cursor of `doc`.
function takePage(doc) {
  const cursor = doc.querySelector('meta[name="live"]')?.dataset.cursor ?? "";
  takeParts(document, doc, cursor);
  handlers.page(cursor);
}

function takeParts(root, doc, cursor) {
  for (const part of parts(root)) {
    const fresh = doc.getElementById(part.id);
    try {
      if (isOfTheSame(part, fresh)) takeParts(part, doc, cursor);
      else takePart(part, fresh, cursor);
    } catch (error) {
      console.error("A live region could not be shown.", part.id, error);
    }
  }
}

// A region that names what it is about (data-live-of) is taken part by part, and whole only when it is about another.
const isOfTheSame = (part, fresh) => part.dataset.liveOf !== undefined && part.dataset.liveOf === fresh?.dataset.liveOf;
const isLost = (part) => part.dataset.gone !== undefined || part.querySelector("[data-gone]") !== null;

function takePart(part, fresh, cursor) {
  if (!fresh) {
    if (part.matches("[data-live-region]")) part.replaceChildren();
    else part.remove();
  } else if (isLost(part)) {
    swap(part.id, fresh.outerHTML);
  } else if (isBusy(part)) {
    hold(part.id, () => !isBusy(document.getElementById(part.id) ?? part), refresh);
  } else if (part.matches('[data-live-list][data-new="pill"]')) {
    reconcile(part, fresh, cursor);
  } else if (part.matches('[data-live-list][data-part="tail"]')) {
    takeTail(part, fresh);
  } else if (!(part.dataset.version && isOlder(part.id, fresh.dataset.version)) && essence(part) !== essence(fresh)) {
    swap(part.id, fresh.outerHTML);
  }
}
