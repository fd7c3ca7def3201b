// What a pushed change does beside changing: one flash, a toast, a refresh of the page's dependent parts.
import { miss } from "../title.js";
import { news } from "../toast.js";
import { essence } from "./swap.js";

const LATE = 60_000; // ms that one piece of news may come after a newer one
const flashed = new Map();
const told = new Set();
const calm = matchMedia("(prefers-reduced-motion: reduce)");

// <li data-toast="Anna offers £45.00" data-toast-key="7-1" data-toast-href="/jobs/3/">: news, when its key is new.
// -href is the page it is about, -go where the toast leads instead, -at when it happened, -urgent interrupts.
const toasts = (element) => [element, ...element.querySelectorAll("[data-toast]")].filter((each) => each.dataset.toast);
const keyOf = (each) => each.dataset.toastKey ?? each.dataset.toast;
const newest = (items) => Math.max(0, ...items.map((each) => Date.parse(each.dataset.toastAt ?? "") || 0));

export function before(element) {
  if (!element) return null;
  return {
    essence: essence(element),
    cells: new Map([...element.querySelectorAll("[data-cell]")].map((cell) => [cell.dataset.cell, essence(cell)])),
    keys: new Set(toasts(element).map(keyOf)),
    newest: newest([...element.querySelectorAll("[data-toast-at]")]),
    refresh: element.dataset.refresh,
  };
}

function flash(element, id) {
  const now = performance.now();
  if (calm.matches || now - (flashed.get(id) ?? -Infinity) < 1000) return;
  flashed.set(id, now);
  element.classList.add("live-flash");
  element.addEventListener("animationend", () => element.classList.remove("live-flash"), { once: true });
}

function flashChanges(was, element) {
  const cells = [...element.querySelectorAll("[data-cell]")];
  if (!was || !cells.length) return flash(element, element.id);
  for (const cell of cells) {
    if (was.cells.get(cell.dataset.cell) !== essence(cell)) flash(cell, `${element.id}/${cell.dataset.cell}`);
  }
}

// Old news that moves up, because newer was cleared, is not told again.
const isOld = (each, was) => each.dataset.toastAt && Date.parse(each.dataset.toastAt) < (was?.newest ?? 0) - LATE;

function tell(was, element) {
  for (const each of toasts(element).reverse()) {
    const id = `${element.id}/${keyOf(each)}`;
    if (was?.keys.has(keyOf(each)) || (each.dataset.toastKey && told.has(id)) || isOld(each, was)) continue;
    told.add(id);
    const { toast, toastHref, toastGo, toastUrgent } = each.dataset;
    news(toast, { at: toastHref, href: toastGo ?? toastHref, action: toastGo && "See it", urgent: toastUrgent !== undefined });
    if (!each.closest("[data-unread]")) miss();
  }
}

// `was` is what before() saw, or null for an element that is new on the page. Returns whether the page's
// regions must be asked for again.
export function after(was, element) {
  const quiet = element.matches("[data-unread]"); // the bell counts: it need not flash
  if (!quiet && (!was || was.essence !== essence(element))) flashChanges(was, element);
  tell(was, element);
  return Boolean(was) && was.refresh !== element.dataset.refresh;
}
