// The badge: nothing while all is well; after a few seconds of trouble it says what, and how old the data is.
import { settings } from "./settings.js";

const WORDS = { reconnecting: "Reconnecting", polling: "Polling", offline: "Offline", stopped: "Not live any more" };
const root = document.documentElement;
let since = Date.now();
let timer = 0;

const clock = (ms) => new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

// `asOf`: when the data was last confirmed, in milliseconds of this browser's clock.
export function show(state, asOf) {
  if (state === "live") since = 0;
  else since ||= Date.now();
  const hears = (state === "live" || state === "polling") && root.dataset.live !== state;
  root.dataset.live = state;
  if (hears) document.dispatchEvent(new CustomEvent("live:hears"));
  const badge = document.getElementById("live-badge");
  if (!badge) return;
  const rest = since ? since + settings.trouble - Date.now() : 0;
  badge.hidden = state === "live" || (rest > 0 && state !== "stopped");
  clearTimeout(timer);
  if (rest > 0) timer = setTimeout(() => show(state, asOf), rest);
  if (badge.hidden) return;
  const text = `${WORDS[state]} · data as of ${clock(asOf)}`;
  badge.dataset.state = state;
  if (badge.textContent !== text) badge.textContent = text;
}

export const troubledFor = () => (since ? Date.now() - since : 0);

export function count(frames) {
  root.dataset.liveFrames = frames;
}
