// When a page connects, asks instead, comes back and lets go.
import { watch } from "./presence.js";
import { beat, poll, probe, resync, socket } from "./session.js";
import { post } from "./say.js";
import { settings } from "./settings.js";
import * as status from "./status.js";

const byPoll = settings.transport === "poll";

function connect() {
  if (byPoll) poll.start(true);
  else socket.connect();
}

// The socket stays down: ask instead.
function standIn() {
  if (status.isTroubledFor(settings.trouble)) poll.start(true);
}

status.tell();
connect();
setInterval(standIn, Math.min(250, settings.trouble));
watch({ beat, back: (hiddenFor) => (hiddenFor > settings.resync ? resync() : beat(false)) });

addEventListener("online", () => { resync(); status.tell(); });
addEventListener("offline", () => { probe(); status.tell(); });

// The server heeds nothing before its welcome. Whoever must be heard says it again: neither way is sure.
document.addEventListener("live:say", ({ detail }) => {
  if (!status.isWelcomed() || !socket.send({ t: "say", ...detail })) post(detail).catch(() => {});
});

// What was done in a dialog comes back by the push; without a socket it is asked for at once.
document.addEventListener("dialog-done", () => { if (!socket.isOpen) resync(); });

// A page in the back-forward cache holds no socket; shown again, it asks for what it missed.
addEventListener("pagehide", (event) => {
  if (!event.persisted) return;
  poll.stop();
  socket.pause();
});
addEventListener("pageshow", (event) => { if (event.persisted) connect(); });
