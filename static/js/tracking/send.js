// Positions on their way. Fresh ones go by the socket, which costs least but answers nothing: they count as arrived
// when the server's own piece of the page says so. What waits longer, or piled up without a network, is posted in the
// order in which it was measured, and what a post answers is settled.
import { me } from "../chat/me.js";
import { socket } from "../live/session.js";
import { isWelcomed, serverNow } from "../live/status.js";
import { drop, load, put } from "./queue.js";

const URL = "/drive/fixes/";
const FRESH = 5; // more than that has piled up
const BATCH = 100;
const MOST = 5000; // half a day, on the move
const PATIENCE = 10_000; // for the piece of the page that acknowledges
const LONGEST = 30_000;
const WAIT = 2000;
const headers = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}"); // the CSRF token

let waiting = [];
let busy = false;
let tries = 0;
let timer = 0;
let notBefore = 0;

const tell = () => document.dispatchEvent(new CustomEvent("gps:queue", { detail: waiting.length }));
const plain = ({ said: _, ...fix }) => fix;

// What an earlier page left, and what another window of the same person did.
export async function begin() {
  const kept = await load(me());
  const known = new Set(waiting.map((fix) => fix.at));
  waiting = [...kept.filter((fix) => !known.has(fix.at)), ...waiting].sort((a, b) => a.at - b.at);
  tell();
  flush();
}

export function add(fix) {
  waiting.push(fix);
  if (waiting.length > MOST) forget(waiting.slice(0, waiting.length - MOST));
  put(me(), fix);
  tell();
  flush();
}

// Everything that was sent and is no newer than `upto` has been dealt with.
export function acknowledge(upto) {
  const done = waiting.filter((fix) => fix.said && fix.at <= upto);
  if (done.length) forget(done);
}

function forget(fixes) {
  const gone = new Set(fixes);
  waiting = waiting.filter((fix) => !gone.has(fix));
  drop(me(), fixes.map((fix) => fix.at));
  tell();
}

function later(wait) {
  clearTimeout(timer);
  notBefore = performance.now() + wait;
  timer = setTimeout(flush, wait);
}

const isOverdue = () => waiting.some((fix) => fix.said && performance.now() - fix.said > PATIENCE);

export function flush() {
  if (busy || !waiting.length || performance.now() < notBefore) return;
  if (isWelcomed() && waiting.length <= FRESH && !isOverdue()) say();
  else post();
}

function say() {
  const fresh = waiting.filter((fix) => !fix.said);
  if (!fresh.length) return;
  for (const fix of fresh) fix.said = performance.now();
  const data = { fixes: fresh.map(plain), rtt: socket.roundTrip };
  document.dispatchEvent(new CustomEvent("live:say", { detail: { kind: "tracking.fixes", data } }));
  clearTimeout(timer);
  timer = setTimeout(flush, PATIENCE + 500);
}

async function post() {
  busy = true;
  const batch = waiting.slice(0, BATCH);
  let wait = 0;
  try {
    const body = JSON.stringify({ fixes: batch.map(plain), rtt: socket.roundTrip });
    const answer = await fetch(URL, { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body });
    wait = settle(answer, batch);
  } catch {
    wait = Math.min(LONGEST, WAIT * 2 ** tries++); // no network: they stay
  } finally {
    busy = false;
  }
  if (wait) later(wait);
  else flush();
}

// Returns how long the rest waits, 0: not at all. A refusal settles a batch too: the same again is refused again.
function settle(answer, batch) {
  if (answer.redirected || answer.status === 401) return LONGEST; // signed out: the page ends by itself
  if (answer.status === 429) return 1000 * (Number(answer.headers.get("Retry-After")) || 1);
  if (answer.status >= 500) return Math.min(LONGEST, WAIT * 2 ** tries++);
  tries = 0;
  forget(batch);
  return 0;
}

function again() {
  notBefore = tries = 0;
  flush();
}

export const fixOf = ({ coords, timestamp }) => ({
  at: Math.round(timestamp + serverNow() - Date.now()), // a device whose clock is wrong still tells the true time
  lat: coords.latitude, lng: coords.longitude, acc: coords.accuracy ?? null, spd: coords.speed ?? null,
  hdg: Number.isFinite(coords.heading) ? coords.heading : null,
});

for (const kind of ["live:welcome", "live:polled"]) document.addEventListener(kind, again);
addEventListener("online", again);
