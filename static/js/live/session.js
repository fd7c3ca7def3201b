// One page's live session: what it has seen (the cursor), what it follows, and what each message does.
import { apply, clear } from "./apply.js";
import * as asked from "./asked.js";
import { count } from "./badge.js";
import { Connection, hello } from "./connection.js";
import { ended, lost, signedOut } from "./ends.js";
import { Poll } from "./poll.js";
import { isAway } from "./presence.js";
import { onRefresh, recover, settled } from "./refresh.js";
import { settings } from "./settings.js";
import * as status from "./status.js";
import { difference, topicsOnPage } from "./topics.js";

const ANSWER = 10_000; // a heartbeat is answered within
const PROBE = 3000; // and when there is reason to doubt

let cursor = settings.cursor;
let followed = topicsOnPage();
let doubt = 0; // the timer of the next probe
let welcomes = 0;
let failed = 0; // tries to open a socket

const standing = () => asked.oldest() ?? cursor;

export const socket = new Connection({ open: () => greet(standing()), message, down, stopped, instead: () => poll.start(true) });
export const poll = new Poll(() => ({ cursor: standing(), topics: followed, failed: status.isPolled() ? failed : 0 }), {
  answer: (answer) => { polled(); take(answer); for (const each of answer.s ?? []) signalled(each); },
  unchanged: (now) => { polled(); cursor = now || cursor; },
  failed: () => status.answeredPoll(false),
  heard: () => { failed = 0; }, // told, or of a time when nothing came through
  asOf: (now) => { status.setClock(now); status.confirm(now); },
  transport: (word) => { if (word === "poll") socket.pause(); else socket.connect(); },
  signedOut: () => stopped(4401),
});

function greet(from) {
  followed = topicsOnPage();
  if (!socket.isOpen) return;
  socket.send(hello(asked.hello(from), from, [...followed], welcomes > 0));
  socket.expect(ANSWER);
}

function message(m) {
  count(socket.frames);
  if (m.now) status.setClock(m.now);
  else if (m.at) status.notBefore(m.at);
  if (m.t === "welcome" || m.t === "followed") answered(m);
  else if (m.t === "f") pushed(m);
  else if (m.t === "beat") heartbeat(m);
  else if (m.t === "signal") signalled(m);
}

// The first answer after trouble: whoever waits to be heard may speak again.
function polled() {
  if (status.answeredPoll(true)) tell("live:polled");
}

const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
const signalled = (m) => tell("live:signal", m);

function answered(m) {
  if (asked.isReplaced(m.i)) return;
  asked.answer(m.i, m.more);
  take(m);
  status.confirm(m.now);
  if (m.t !== "welcome" || m.more || m.reset) return;
  socket.welcomed();
  welcomes += 1;
  failed = 0;
  poll.stop();
  status.welcome();
  tell("live:welcome");
}

function pushed(m) {
  take(m);
  if (!m.at) return;
  socket.lags.push(status.lag(m.at));
  status.confirm(m.at);
}

function heartbeat(m) {
  cursor = m.c || cursor;
  clearTimeout(doubt);
  if (!status.heard(m)) doubt = setTimeout(() => socket.beat(isAway(), ANSWER), PROBE);
}

// What an answer or a push brings. The cursor moves last, and not at a reset: what was not shown is asked for again.
function take(m) {
  const gone = m.gone ?? [];
  clear(gone);
  for (const topic of gone) followed.delete(topic);
  apply(m.f ?? []);
  if (!m.reset) cursor = m.c || cursor;
  if (m.reset || gone.length) recover();
  else if (m.t === "welcome" && !m.more) settled();
  follow();
  tell("live:applied");
}

function follow() {
  const { added, dropped } = difference(topicsOnPage(), followed);
  if (added.length && asked.isGreeting()) { greet(standing()); return; }
  for (const topic of added) followed.add(topic);
  for (const topic of dropped) followed.delete(topic);
  if (dropped.length) socket.send({ t: "unfollow", topics: dropped });
  if (!added.length || !socket.isOpen) return;
  socket.send({ t: "follow", i: asked.follow(standing()), c: standing(), topics: added });
}

// A page was taken over: it shows what was true at its cursor, so everything after that is asked for again.
function onPage(from) {
  cursor = from || cursor;
  asked.forget();
  greet(cursor);
  if (poll.running) poll.now();
  tell("live:applied");
}

function down(code) {
  if (code === 1006 && !status.isWelcomed()) failed += 1;
  cursor = standing();
  if (asked.forget() && poll.running) poll.now(); // a poll on its way may not know of all that was asked
  status.down();
}

function stopped(code) {
  if (status.isStopped()) return;
  poll.stop();
  status.stop();
  socket.pause();
  if (code === 4401) signedOut();
  else ended();
}

// The page was away, or the network was: whatever it missed is asked for at once.
export function resync() {
  if (socket.isOpen) { greet(standing()); socket.expect(PROBE); } else socket.now();
  if (poll.running) poll.now();
}

export const beat = (away) => socket.beat(away, ANSWER);
export const probe = () => socket.beat(isAway(), PROBE);

onRefresh({ page: onPage, signedOut: () => stopped(4401), lost });
// A part of the page was fetched by itself and is true at its own cursor, newer or older than ours: what changed on
// its topic since then is asked for, and our cursor stays, or what the rest of the page has not heard yet were lost.
function onPart({ topic, cursor: from }) {
  followed.add(topic);
  if (asked.isGreeting()) greet(standing());
  else if (socket.isOpen) socket.send({ t: "follow", i: asked.follow(from), c: from, topics: [topic] });
  tell("live:applied");
}

document.addEventListener("live:part", (event) => onPart(event.detail));
document.addEventListener("live:page", (event) => onPage(event.detail));
