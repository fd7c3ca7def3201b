// Which way this page hears, and how old its data is: what the badge says.
import * as badge from "./badge.js";

const STALE = 3000; // the server's own last good read may be this old
const RESET = 5000; // ms: no delay is so long
const DRIFT = 0.0005; // of two clocks, at most
let welcomed = false; // by the socket
let fresh = true; // the server itself hears
let polled = false; // the last poll was answered
let stopped = false;
let asOf = Date.now();
let offset = -Infinity; // the server's clock minus ours
let heardAt = 0;

export const isStopped = () => stopped;
export const isWelcomed = () => welcomed;
export const isPolled = () => polled;
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

// What took longest to arrive says least: of several the furthest ahead is true, until this device's clock is set anew.
export function setClock(now) {
  const heard = now - Date.now();
  const drifted = offset - (performance.now() - heardAt) * DRIFT;
  offset = Math.abs(heard - offset) > RESET ? heard : Math.max(heard, drifted);
  heardAt = performance.now();
}
// It is later there than when this was sent.
export function notBefore(at) { offset = Math.max(offset, at - Date.now()); }
// The server's clock, as far as this page has heard of it: milliseconds since 1970.
export const serverNow = () => Date.now() + (Number.isFinite(offset) ? offset : 0);
export const lag = (at) => Math.max(0, Math.round(serverNow() - at));

// The data was true at `serverTime` (ms of the server's clock).
export function confirm(serverTime) {
  if (serverTime) asOf = Math.max(asOf, serverTime - serverNow() + Date.now());
}

// A heartbeat's answer says how old the server's own last good read is. Returns whether it hears.
export function heard(beat) {
  fresh = beat.now - beat.asof <= STALE;
  confirm(beat.asof);
  tell();
  return fresh;
}
