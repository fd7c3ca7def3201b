// Which way this page hears, and how old its data is: what the badge says.
import * as badge from "./badge.js";

const STALE = 3000; // the server's own last good read may be this old
let welcomed = false; // by the socket
let fresh = true; // the server itself hears
let polled = false; // the last poll was answered
let stopped = false;
let asOf = Date.now();
let offset = 0; // the server's clock minus ours

export const isStopped = () => stopped;
export const isWelcomed = () => welcomed;
export const isTroubledFor = (ms) => !welcomed && !stopped && badge.troubledFor() >= ms;

export function tell() {
  const now = welcomed && fresh ? "live" : polled ? "polling" : navigator.onLine ? "reconnecting" : "offline";
  badge.show(stopped ? "stopped" : now, asOf);
}

export function welcome() { welcomed = fresh = true; polled = false; tell(); }
export function down() { welcomed = false; tell(); }
// Returns whether it is the first good answer after none.
export function answeredPoll(well) { const first = well && !polled; polled = well; tell(); return first; }
export function stop() { stopped = true; tell(); }

export function setClock(now) { offset = now - Date.now(); }
// The server's clock, as far as this page has heard of it: milliseconds since 1970.
export const serverNow = () => Date.now() + offset;
export const lag = (at) => Math.max(0, Math.round(serverNow() - at));

// The data was true at `serverTime` (ms of the server's clock).
export function confirm(serverTime) {
  if (serverTime) asOf = Math.max(asOf, serverTime - offset);
}

// A heartbeat's answer says how old the server's own last good read is. Returns whether it hears.
export function heard(beat) {
  fresh = beat.now - beat.asof <= STALE;
  confirm(beat.asof);
  tell();
  return fresh;
}
