// Toasts: what changed, with a way to it. At most three stand, more become "n more". Other modules import `toast`
// or `news`; pages dispatch a `toast` event.
const MOST = 3;
const STAY = 8000;
let more = 0;

function close(item) {
  item.remove();
  const rest = document.querySelectorAll("#toasts .toast-x:not([data-more])").length;
  if (!rest) { more = 0; document.querySelector("#toasts [data-more]")?.remove(); }
}

function words(text, href) {
  const element = document.createElement(href ? "a" : "span");
  element.textContent = text;
  if (href) element.href = href;
  return element;
}

function element(text, { href, action, urgent } = {}) {
  const item = document.createElement("div");
  item.className = urgent ? "toast-x toast-urgent" : "toast-x";
  item.setAttribute("role", urgent ? "alert" : "status");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn-icon";
  button.setAttribute("aria-label", "Close");
  button.textContent = "×";
  button.addEventListener("click", () => close(item));
  item.append(words(text, action ? "" : href));
  if (action && href) { item.append(words(action, href)); item.lastElementChild.className = "toast-action"; }
  item.append(button);
  return item;
}

function leaveLater(item) {
  const timer = setInterval(() => {
    if (document.hidden || item.matches(":hover, :focus-within")) return;
    clearInterval(timer);
    close(item);
  }, STAY);
}

function group(place) {
  more += 1;
  let item = place.querySelector("[data-more]");
  if (!item) {
    item = element("");
    item.dataset.more = "";
    place.prepend(item);
    leaveLater(item);
  }
  item.firstElementChild.textContent = `${more} more ${more === 1 ? "change" : "changes"}`;
}

// <section data-about="/drive/">: a piece that stands over every page says all that a toast about that page would. It
// may come with the same frame as the news.
const isSaid = (at) => at && !document.hidden && document.querySelector(`[data-about="${CSS.escape(at)}"]`) !== null;

// What others did. Not of what stands open here: whoever looks at a page sees it change.
export function news(text, { at, ...options }) {
  const here = at && !document.hidden && new URL(at, location.href).pathname === location.pathname;
  if (!here || at.startsWith("#")) setTimeout(() => { if (!isSaid(at)) toast(text, options); });
}

// `href`: where it leads; `action`: the words of that link beside the text, else the text is the link.
export function toast(text, options) {
  const place = document.getElementById("toasts");
  if (!place || !text) return;
  // An alert is not counted away: it says what cannot wait.
  const standing = place.querySelectorAll(".toast-x:not([data-more], .toast-urgent)").length;
  if (standing >= MOST && !options?.urgent) { group(place); return; }
  const item = element(text, options);
  place.append(item);
  leaveLater(item);
}

document.addEventListener("toast", (event) => toast(event.detail.text, { href: event.detail.href }));
