// What a pushed change does beside changing: one flash, a toast, a refresh of the page's dependent parts.
import { news } from "../toast.js";
import { essence } from "./swap.js";

const flashed = new Map();
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export function before(element) {
  if (!element) return null;
  return {
    essence: essence(element),
    cells: new Map([...element.querySelectorAll("[data-cell]")].map((cell) => [cell.dataset.cell, essence(cell)])),
    toast: element.dataset.toast,
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

// `was` is what before() saw, or null for an element that is new on the page. Returns whether the page's
// regions must be asked for again.
export function after(was, element) {
  if (!was || was.essence !== essence(element)) flashChanges(was, element);
  if (element.dataset.toast && element.dataset.toast !== was?.toast) news(element.dataset.toast, element.dataset.toastHref);
  return Boolean(was) && was.refresh !== element.dataset.refresh;
}
