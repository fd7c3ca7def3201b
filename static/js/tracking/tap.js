// <a href="/drive/legs/5/accept/" data-tap>: done with one tap instead of a question. Posted to the link's address with
// what its query says, the time of the tap and one key until it is answered, so that a tap in a tunnel counts once,
// when the network is back. Without JavaScript the link is a page that asks.
import { uuid } from "../chat/uuid.js";
import { serverNow } from "../live/status.js";
import { toast } from "../toast.js";

const AGAIN = 3000;
const headers = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}");
const open = new Map(); // href -> what is on its way
let timer = 0;

const linksTo = (href) => document.querySelectorAll(`a[data-tap][href="${CSS.escape(href)}"]`);

function mark(href) {
  for (const link of linksTo(href)) {
    link.classList.toggle("is-sending", open.has(href));
    link.setAttribute("aria-busy", String(open.has(href)));
  }
}

function tap(link) {
  const href = link.getAttribute("href");
  if (open.has(href)) return; // the second tap of a double tap
  const url = new URL(href, location.href);
  const body = new URLSearchParams(url.search);
  body.set("at", String(Math.round(serverNow())));
  open.set(href, { href, url: url.pathname, body, key: uuid(), busy: false, waits: false });
  mark(href);
  send(open.get(href));
}

async function send(deed) {
  if (deed.busy) return;
  deed.busy = true;
  try {
    const answer = await fetch(deed.url, {
      method: "POST", body: deed.body, headers: { ...headers, "HX-Request": "true", "Idempotency-Key": deed.key, Accept: "text/html" },
    });
    if (answer.status === 429 || answer.status >= 500) throw new Error(`answered ${answer.status}`);
    open.delete(deed.href);
    await settle(answer);
  } catch {
    if (!deed.waits) toast("That has not reached us yet. It is sent again by itself.");
    deed.waits = true;
    clearTimeout(timer);
    timer = setTimeout(again, AGAIN);
  } finally {
    deed.busy = false;
    mark(deed.href);
  }
}

async function settle(answer) {
  if (answer.status === 204) document.dispatchEvent(new CustomEvent("dialog-done", { detail: {} }));
  else if (answer.status === 401 || answer.redirected) location.reload();
  else refuse(await answer.text());
}

// The sentence of a refusal stands over everything, as news that cannot wait.
function refuse(html) {
  const doc = new DOMParser().parseFromString(html, "text/html");
  const refusal = doc.querySelector("[data-refusal]");
  const link = refusal?.querySelector("a");
  const there = link && new URL(link.getAttribute("href"), location.href).pathname !== location.pathname;
  const words = refusal?.querySelector("p")?.textContent.trim() ?? doc.querySelector("h1")?.textContent.trim() ?? "That did not work.";
  toast(words, { urgent: true, ...(there && { href: link.getAttribute("href"), action: link.textContent.trim() }) });
  document.dispatchEvent(new CustomEvent("dialog-done", { detail: {} })); // the page may be behind: it asks
}

function again() {
  for (const deed of open.values()) send(deed);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-tap]");
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !plain || event.defaultPrevented) return;
  event.preventDefault();
  tap(link);
});
document.addEventListener("live:applied", () => { for (const href of open.keys()) mark(href); });
for (const kind of ["live:welcome", "live:polled"]) document.addEventListener(kind, again);
addEventListener("online", again);
