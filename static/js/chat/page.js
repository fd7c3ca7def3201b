// Conversations on a page: each gets its behaviours once, also one that comes with a later swap.
import { compose } from "./composer.js";
import { keepDays } from "./days.js";
import { takeFiles } from "./files.js";
import { paintMarks } from "./marks.js";
import { loadOlder } from "./older.js";
import { showPending } from "./pending.js";
import { offerReplies } from "./replies.js";
import { keepScroll } from "./scroll.js";
import { saySeen } from "./seen.js";
import { sayTyping } from "./typing.js";
import "./viewport.js";

const known = new WeakSet();

function begin(chat) {
  known.add(chat);
  chat.dataset.ready = "";
  const files = takeFiles(chat);
  const composer = compose(chat, files);
  keepDays(chat);
  const scroll = keepScroll(chat);
  showPending(chat, composer, scroll);
  paintMarks(chat);
  loadOlder(chat, scroll);
  offerReplies(chat, composer);
  sayTyping(chat);
  saySeen(chat);
}

// Where nothing can be written any more, what is half typed holds up no change: it is kept as a draft.
function shut(chat) {
  const form = chat.querySelector("[data-chat-form]");
  if (form) form.inert = chat.querySelector('[data-open="false"]:not([data-kind="broadcast"])') !== null;
}

function look() {
  for (const chat of document.querySelectorAll("[data-chat]")) {
    if (!known.has(chat)) begin(chat);
    shut(chat);
  }
}

look();
document.addEventListener("live:applied", look);
