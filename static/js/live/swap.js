// One element's new HTML onto the page, by htmx's out-of-band swap. The focus is never stolen and never lost.
function rootOf(html, id) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  const root = template.content.firstElementChild;
  if (!root || root.id !== id || template.content.childElementCount !== 1) throw new Error(`malformed fragment ${id}`);
  return root;
}

// What took the place of `active` in the fresh element: the same id, link or words; else the first that takes the focus.
function successor(active, fresh) {
  const href = active.getAttribute("href");
  const same = active.id ? `#${CSS.escape(active.id)}` : href && `a[href="${CSS.escape(href)}"]`;
  if (same && fresh.matches(same)) return fresh;
  return (same && fresh.querySelector(same))
    || [...fresh.querySelectorAll(active.localName)].find((each) => !same && each.textContent === active.textContent)
    || fresh.querySelector("a, button, input, select, textarea");
}

function focusIn(element) {
  const active = document.activeElement;
  if (!active || !element.contains(active)) return null;
  return (fresh) => {
    successor(active, fresh)?.focus({ preventScroll: true });
    if (fresh.contains(document.activeElement)) return;
    fresh.tabIndex = -1;
    fresh.focus({ preventScroll: true });
  };
}

// Replace the element `id`. Throws when `html` is not exactly one element of that id, or htmx refuses it.
export function swap(id, html) {
  const root = rootOf(html, id);
  const refocus = focusIn(document.getElementById(id));
  root.setAttribute("hx-swap-oob", "true");
  // Delays of 0: htmx would leave the old attributes, the version among them, in place for 20 ms.
  window.htmx.swap(document.body, root.outerHTML, { swapStyle: "none", swapDelay: 0, settleDelay: 0, ignoreTitle: true });
  const fresh = document.getElementById(id);
  if (fresh && refocus) refocus(fresh);
  return fresh;
}

export const orderOf = (html, id) => rootOf(html, id).dataset.order;

export const tagOf = (html, id) => rootOf(html, id).tagName;

// Copies are made in a document of their own: in this one, each picture of a copy would be loaded again.
const nowhere = document.implementation.createHTMLDocument("");

// The HTML of an element without what changes at every rendering, to see whether anything did.
export function essence(element) {
  const copy = nowhere.importNode(element, true);
  for (const each of [copy, ...copy.querySelectorAll("[data-version]")]) each.removeAttribute("data-version");
  for (const each of [copy, ...copy.querySelectorAll(".live-flash")]) each.classList.remove("live-flash");
  for (const each of copy.querySelectorAll("time")) each.replaceWith(each.getAttribute("datetime") ?? "");
  return copy.outerHTML.replace(/ class=""/g, "").replace(/\s+/g, " ");
}
