// On every page of somebody on the road: sends their position while the server says that it is collected, shows how
// well that goes, and brings offers over the page. Of several windows the one that was looked at last sends.
import { forgetPace, Gps } from "./gps.js";
import { heard, paint } from "./health.js";
import { look as lookAtOffer } from "./offer.js";
import { acknowledge, add, begin, fixOf } from "./send.js";
import "./tap.js";
import { keepAwake } from "./wake.js";

const gps = new Gps({ take: (position) => add(fixOf(position)), tell: heard });
let leads = false;

function look() {
  const { collect, moving, idle } = document.querySelector("[data-collect]")?.dataset ?? {};
  const on = collect === "on";
  acknowledge(Number(document.querySelector("[data-gps]")?.dataset.upto ?? 0));
  if (on && leads) gps.start({ moving: 1000 * moving, idle: 1000 * idle });
  else if (gps.isOn) gps.stop();
  if (collect === "off") forgetPace();
  keepAwake(on);
  paint();
}

function begins() {
  leads = true;
  begin();
  look();
  return new Promise(() => {}); // until the window is closed, or another one takes over
}

function yields() {
  leads = false;
  heard("elsewhere");
  look();
}

async function lead() {
  if (leads) return;
  if (!navigator.locks) { begins(); return; }
  try {
    await navigator.locks.request("callout-gps", { steal: !document.hidden }, begins);
  } catch {
    yields();
    navigator.locks.request("callout-gps", begins).catch(yields); // when the other window is closed
  }
}

// The phone's own navigation: what everybody else calls geo: is maps: to Apple.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-navigate]");
  if (link && /iPhone|iPad|Macintosh/.test(navigator.userAgent)) link.href = link.href.replace(/^geo:([^?]+).*/, "maps:?daddr=$1");
});
document.addEventListener("live:signal", ({ detail }) => { if (detail.name === "position") gps.now(); });
document.addEventListener("live:applied", look);
document.addEventListener("visibilitychange", () => { if (!document.hidden) lead(); });
lead();
look();
lookAtOffer();
document.documentElement.dataset.road = ""; // taps are taps from here on
