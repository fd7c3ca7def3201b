// The age of a position, second by second, with nothing new coming in: <time data-age="30 300" datetime="…"> reads
// "8 s ago" by the server's clock; it and the nearest [data-aging] around it get data-age-state live, stale or lost
// (the two numbers are the limits in seconds). What stands in [data-at="live"] shows in that state only (components.css).
import { serverNow } from "../live/status.js";

const LIMITS = "30 300";

export function ago(seconds) {
  if (seconds < 3) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min ago` : `${Math.floor(seconds / 3600)} h ago`;
}

export function stateOf(seconds, limits = LIMITS) {
  const [live, stale] = limits.split(" ").map(Number);
  return seconds <= live ? "live" : seconds <= stale ? "stale" : "lost";
}

const ageOf = (moment) => Math.max(0, (serverNow() - moment) / 1000);

// Of several pieces about the same thing ([data-age-of]) one may have heard later than another: they agree on the newest.
function newest(elements) {
  const found = new Map();
  for (const { dateTime, dataset } of elements) {
    if (dataset.ageOf) found.set(dataset.ageOf, Math.max(found.get(dataset.ageOf) ?? 0, Date.parse(dateTime)));
  }
  return found;
}

// Whoever shows more than the words (a marker) listens to `age:turned`.
function turn(element, state) {
  if (element.dataset.ageState === state) return;
  element.dataset.ageState = state;
  element.dispatchEvent(new CustomEvent("age:turned", { bubbles: true, detail: state }));
}

function tick() {
  const elements = [...document.querySelectorAll("time[data-age]")];
  const heard = newest(elements);
  for (const element of elements) {
    const age = ageOf(heard.get(element.dataset.ageOf) ?? Date.parse(element.dateTime));
    const state = stateOf(age, element.dataset.age || LIMITS);
    const text = ago(Math.floor(age));
    if (element.textContent !== text) element.textContent = text;
    const around = element.closest("[data-aging]");
    if (around) turn(around, state);
    turn(element, state);
  }
}

tick();
setInterval(tick, 1000);
for (const event of ["live:applied", "live:welcome", "visibilitychange", "htmx:oobAfterSwap"]) document.addEventListener(event, tick);
