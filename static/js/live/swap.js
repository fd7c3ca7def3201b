// One element's new HTML onto the page, by htmx's out-of-band swap. The focus is never stolen and never lost.
function rootOf(html, id) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  const root = template.content.firstElementChild;
  if (!root || root.id !== id || template.content.childElementCount !== 1) throw new Error(`malformed fragment ${id}`);
  return root;
}

function focusIn(element) {
  const active = document.activeElement;
  if (!active || !element.contains(active)) return null;
  const same = active.id ? `#${CSS.escape(active.id)}` : active.getAttribute("href") && `a[href="${CSS.escape(active.getAttribute("href"))}"]`;
  return (fresh) => {
    const target = (same && fresh.matches(same) ? fresh : same && fresh.querySelector(same)) || fresh.querySelector("a, button, input, select, textarea") || fresh;
    if (target === fresh && !fresh.matches("a, button")) fresh.tabIndex = -1;
    target.focus({ preventScroll: true });
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

// The HTML of an element without what changes at every rendering, to see whether anything did.
export function essence(element) {
  const copy = element.cloneNode(true);
  for (const each of [copy, ...copy.querySelectorAll("[data-version]")]) each.removeAttribute("data-version");
  for (const each of [copy, ...copy.querySelectorAll(".live-flash")]) each.classList.remove("live-flash");
  for (const each of copy.querySelectorAll("time")) each.replaceWith(each.getAttribute("datetime") ?? "");
  return copy.outerHTML.replace(/ class=""/g, "").replace(/\s+/g, " ");
}
