// Toasts: what changed, with a link to it. At most three stand, more become "n more"; while the tab is
// hidden the title counts them. Other modules import `toast` or `news`, pages dispatch a `toast` event.
const MOST = 3;
const STAY = 8000;
const OWN = 2000; // what follows one's own action this closely is not news
const title = document.title;
let unseen = 0;
let more = 0;
let actedUntil = 0;

// Somebody is acting: the change that comes back is theirs and needs no toast, until a moment after the answer.
export function acting(on) {
  actedUntil = on ? Infinity : Date.now() + OWN;
}

function close(item) {
  item.remove();
  const rest = document.querySelectorAll("#toasts .toast-x:not([data-more])").length;
  if (!rest) { more = 0; document.querySelector("#toasts [data-more]")?.remove(); }
}

function element(text, href) {
  const item = document.createElement("div");
  item.className = "toast-x";
  item.setAttribute("role", "status");
  const words = document.createElement(href ? "a" : "span");
  words.textContent = text;
  if (href) words.href = href;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn-icon";
  button.setAttribute("aria-label", "Close");
  button.textContent = "×";
  button.addEventListener("click", () => close(item));
  item.append(words, button);
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
    item = element("", "");
    item.dataset.more = "";
    place.prepend(item);
    leaveLater(item);
  }
  item.firstElementChild.textContent = `${more} more ${more === 1 ? "change" : "changes"}`;
}

// News of what others did.
export function news(text, href) {
  if (Date.now() >= actedUntil) toast(text, href);
}

export function toast(text, href) {
  const place = document.getElementById("toasts");
  if (!place || !text) return;
  if (document.hidden) {
    unseen += 1;
    document.title = `(${unseen}) ${title}`;
  }
  if (place.querySelectorAll(".toast-x:not([data-more])").length >= MOST) { group(place); return; }
  const item = element(text, href);
  place.append(item);
  leaveLater(item);
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unseen = 0;
  document.title = title;
});
document.addEventListener("toast", (event) => toast(event.detail.text, event.detail.href));
