// "3 new": lists that are filtered, sorted or paged gain no row by themselves. They say how many there are,
// counted on the page's own URL, and wait for a tap.
import { essence, swap } from "./swap.js";

const waiting = new Map(); // list id -> { list: as the server shows it now, cursor: of that page }

// Bring a pill list up to date from the page's own answer without adding or moving a row; count the new ones.
export function reconcile(list, fresh, cursor) {
  for (const item of list.querySelectorAll(":scope > [data-live]")) {
    const renewed = fresh.querySelector(`:scope > #${CSS.escape(item.id)}`);
    if (!renewed) item.remove();
    else if (essence(item) !== essence(renewed)) swap(item.id, renewed.outerHTML);
  }
  const added = [...fresh.querySelectorAll(":scope > [data-live]")].filter((item) => !document.getElementById(item.id));
  waiting.set(list.id, { list: fresh, cursor });
  show(list, added.length);
}

function show(list, count) {
  let pill = document.getElementById(`${list.id}-pill`);
  if (!count) { pill?.remove(); return; }
  if (!pill) {
    pill = document.createElement("button");
    pill.type = "button";
    pill.id = `${list.id}-pill`;
    pill.className = "pill-new";
    pill.setAttribute("aria-live", "polite");
    pill.addEventListener("click", () => bringIn(list.id));
    list.before(pill);
  }
  pill.textContent = `${count} new`;
}

// There is nothing to bring in any more.
export function withdraw(id) {
  waiting.delete(id);
  document.getElementById(`${id}-pill`)?.remove();
}

function bringIn(id) {
  const found = waiting.get(id);
  withdraw(id);
  if (!found || !document.getElementById(id)) return;
  const now = swap(id, found.list.outerHTML);
  now.tabIndex = -1;
  now.focus({ preventScroll: true });
  now.scrollIntoView({ block: "nearest" });
  // These rows are as old as that page and may bring topics: say hello again from its cursor.
  document.dispatchEvent(new CustomEvent("live:page", { detail: found.cursor }));
}
