// Whether somebody is here: away after a minute hidden or idle. And what a page must do when it comes back.
import { settings } from "./settings.js";

let lastInput = Date.now();
let hiddenAt = document.hidden ? Date.now() : 0;

for (const kind of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"]) {
  addEventListener(kind, () => { lastInput = Date.now(); }, { passive: true, capture: true });
}

export const isAway = () =>
  Date.now() - lastInput > settings.away || (hiddenAt > 0 && Date.now() - hiddenAt > settings.away);

// `beat(away)` every heartbeat and when away changes; `back(hiddenFor)` when a hidden tab is shown again.
export function watch({ beat, back }) {
  let told = false;
  const tell = () => { told = isAway(); beat(told); };
  setInterval(tell, settings.heartbeat);
  setInterval(() => { if (isAway() !== told) tell(); }, Math.min(1000, settings.away));
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { hiddenAt = Date.now(); return; }
    const hiddenFor = hiddenAt ? Date.now() - hiddenAt : 0;
    hiddenAt = 0;
    lastInput = Date.now();
    back(hiddenFor);
  });
}
