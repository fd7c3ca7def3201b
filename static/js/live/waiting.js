// A fragment that holds the caret, a half-typed form, a selection or an open menu waits until that is over.
// A focused link or button does not wait (it would keep a page untrue after every closed dialog): the swap
// gives the focus back, see swap.js.
const held = new Map();
const CARET = "input:not([type=button], [type=submit], [type=reset]), select, textarea, [contenteditable]";
const OPEN = "details[data-menu][open], [aria-expanded=true], dialog[open]";

const isTyped = (field) => field.type !== "hidden" && "defaultValue" in field
  && (field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue);

function isSelected(element) {
  const selection = getSelection();
  return selection && !selection.isCollapsed && selection.rangeCount > 0 && selection.getRangeAt(0).intersectsNode(element);
}

export function isBusy(element) {
  const active = document.activeElement;
  if (active && active !== element && element.contains(active) && active.matches(CARET)) return true;
  if (element.matches(OPEN) || element.querySelector(OPEN)) return true;
  return isSelected(element) || [...element.querySelectorAll(":is(input, textarea):not([inert] *)")].some(isTyped);
}

// A list is in use while a mouse moves or a finger rests on it: nothing shifts under the pointer then. The tail of a
// log is not held back: what comes there comes at its end, and only a message on its way makes room for it.
let pointed = { list: null, at: 0 };
const REST = 1500;
for (const kind of ["pointermove", "pointerdown"]) {
  document.addEventListener(kind, (event) => {
    pointed = { list: event.target.closest?.("[data-live-list]") ?? null, at: performance.now() };
  }, { passive: true });
}

// A list that pauses does so for as long as a mouse rests on it, or the focus is in it.
const PAUSED = "[data-pause]:focus-within" + (matchMedia("(hover: hover)").matches ? ", [data-pause]:hover" : "");

export const isPointedAt = (list) => list.matches(PAUSED)
  || (pointed.list === list && list.dataset.part !== "tail" && performance.now() - pointed.at < REST);

// Keep only the newest thing to do for an element; `ready` says when, `act` does it, `topic` is what it shows.
export function hold(id, ready, act, topic) {
  held.set(id, { ready, act, topic });
  setTimeout(release, REST);
}

export const forget = (id) => held.delete(id);

export function forgetTopic(topic) {
  for (const [id, each] of [...held]) if (each.topic === topic) held.delete(id);
}

export function release() {
  for (const [id, { ready, act }] of [...held]) {
    if (!ready()) continue;
    held.delete(id);
    act();
  }
  if (held.size) { clearTimeout(release.timer); release.timer = setTimeout(release, REST); }
}

for (const kind of ["focusout", "selectionchange", "toggle", "close", "reset"]) {
  document.addEventListener(kind, () => { if (held.size) setTimeout(release); }, true);
}
