// What pages of the road load when they need it: ages wherever one stands, the map where somebody comes.
import { late } from "../late.js";

let ages = null;
let ride = null;

function look() {
  if (document.querySelector("time[data-age]")) ages ??= late(() => import("./ages.js"));
  if (document.querySelector("[data-ride-map]")) ride ??= Promise.all([late(() => import("./ride.js")), late(() => import("./share.js"))]);
}

look();
document.addEventListener("live:applied", look);
