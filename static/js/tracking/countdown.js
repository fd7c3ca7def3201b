// The ring of an offer: how much of its time is left, by the server's clock. The server decides when it lapses.
import { serverNow } from "../live/status.js";

const SAID = [30, 10]; // seconds at which a screen reader hears how many are left
const said = new Map();

function paint(ring) {
  const from = Date.parse(ring.dataset.from);
  const until = Date.parse(ring.dataset.until);
  const left = Math.max(0, until - serverNow());
  const seconds = Math.ceil(left / 1000);
  ring.querySelector(".ring-left").setAttribute("stroke-dashoffset", String(100 - (100 * Math.min(left, until - from)) / (until - from)));
  const figure = ring.querySelector("[data-ring-figure]");
  if (figure.textContent !== String(seconds)) figure.textContent = seconds;
  const card = ring.closest("[data-offer]");
  card?.toggleAttribute("data-over", left === 0);
  if (card) announce(card, seconds, (until - from) / 1000);
}

function announce(card, seconds, whole) {
  const step = SAID.filter((each) => each < whole && seconds <= each).at(-1);
  if (step === undefined || !seconds || said.get(card.dataset.offer) === step) return;
  said.set(card.dataset.offer, step);
  card.querySelector("[data-ring-words]").textContent = `${seconds} seconds left`;
}

export function paintRings() {
  for (const ring of document.querySelectorAll("[data-ring]")) paint(ring);
}

setInterval(paintRings, 200);
