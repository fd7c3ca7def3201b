// How well one's own position gets through: the chip says how exact it is, when the server last had it, and how much
// still waits. The server's half stands in the fragment, the device's is added here after every swap.
import { isWelcomed, serverNow } from "../live/status.js";
import { relative } from "../time.js";

const WEAK = 100; // metres: such a position moves no marker
const LATE = 45_000;
const LOST = 300_000;
const SAYS = { bad: "Your position does not reach the desk.", good: "Your position reaches the desk." };

let device = "searching";
let queue = 0;
let toned = "";

export function heard(state) { device = state; paint(); }
document.addEventListener("gps:queue", ({ detail }) => { queue = detail; paint(); });

const rest = () => (queue > 1 ? ` · ${queue} waiting` : "");
const isDown = () => !navigator.onLine || (!isWelcomed() && queue > 1);

function verdict({ received }) {
  if (device === "none") return ["bad", "This browser gives no position"];
  if (device === "denied") return ["bad", "Location is blocked: allow it in the browser's settings"];
  if (device === "elsewhere") return ["good", `Sent by your other window${received ? ` · received ${relative(Number(received) - serverNow())}` : ""}`];
  if (device === "searching") return ["wait", `Looking for your position…${rest()}`];
  const exact = `±${Math.round(device.coords.accuracy)} m`;
  if (isDown()) return ["wait", `${exact} · ${queue} waiting, sent when you are back`];
  const age = received ? serverNow() - Number(received) : Infinity;
  if (age > LATE) return [age > LOST && received ? "bad" : "wait", `${exact} · ${received ? `received ${relative(-age)}` : "not received yet"}${rest()}`];
  const words = `${exact} · received ${relative(-Math.max(0, age))}${rest()}`;
  return device.coords.accuracy > WEAK ? ["wait", `Weak: ${words}`] : ["good", words];
}

// To a screen reader only when it turns, never with each position.
function say(tone) {
  if (tone === toned || !(tone in SAYS)) return;
  if (toned || tone === "bad") {
    let place = document.getElementById("gps-says");
    if (!place) {
      place = Object.assign(document.createElement("p"), { id: "gps-says", className: "visually-hidden" });
      place.setAttribute("role", "status");
      document.body.append(place);
    }
    place.textContent = SAYS[tone];
  }
  toned = tone;
}

export function paint() {
  const root = document.querySelector("[data-gps]");
  const chip = root?.querySelector("[data-gps-chip]");
  if (!chip) return;
  const [tone, words] = verdict(root.dataset);
  chip.dataset.tone = tone;
  chip.dataset.queue = queue;
  const place = chip.querySelector("[data-gps-words]");
  if (place.textContent !== words) place.textContent = words;
  say(tone);
}

setInterval(() => { if (!document.hidden) paint(); }, 1000);
