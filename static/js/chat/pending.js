// Messages on their way, at the end of the list under the id they will have: the echo takes their place, whether the
// push, the poll or the answer to the POST brings it first.
import { sizeOf } from "./files.js";
import { me } from "./me.js";
import { all } from "./outbox.js";
import { announce, isSent, listOf } from "./parts.js";
import { drop, retry } from "./sender.js";

const WORDS = { sending: "Sending", waiting: "Waiting for the connection", failed: "Not sent" };
const urls = new Map(); // message -> the addresses of its previews
const domId = (entry) => `chat-message-${entry.id}`;

export async function showPending(chat, composer, scroll) {
  const shape = chat.querySelector("template[data-pending]");
  if (!composer || !shape) return;

  function make(entry) {
    const item = document.importNode(shape.content.firstElementChild, true); // in a template's own document, pictures would be loaded twice
    item.id = domId(entry);
    item.dataset.side = chat.dataset.side;
    item.dataset.author = chat.dataset.me;
    item.dataset.order = `~${String(entry.at).padStart(15, "0")}`; // behind every number
    const text = item.querySelector("[data-text]");
    if (entry.text) text.textContent = entry.text;
    else text.remove();
    item.querySelector("[data-pending-files]").append(...entry.files.map((file) => preview(file, entry)));
    item.querySelector("[data-retry]").addEventListener("click", () => retry(entry));
    item.querySelector("[data-edit]").addEventListener("click", async () => { await drop(entry); composer.takeBack(entry); });
    const list = listOf(chat);
    list.insertBefore(item, list.querySelector(":scope > [data-live-empty]")); // which stands last, or orders go wrong
    scroll.toEnd();
    return item;
  }

  function show({ entry, state, share, sentence }) {
    if (entry.conversation !== chat.dataset.conversation || entry.me !== chat.dataset.me) return;
    const there = document.getElementById(domId(entry));
    if (state === "sent" || state === "dropped") for (const url of urls.get(entry.id) ?? []) URL.revokeObjectURL(url);
    if (state === "sent" || (there && isSent(there))) return; // the echo stands there
    if (state === "dropped") { there?.remove(); return; }
    const item = there ?? make(entry);
    item.dataset.state = state;
    const word = item.querySelector("[data-word]");
    const words = sentence || WORDS[state];
    if (word.textContent !== words) word.textContent = words;
    item.querySelector("[data-do]").hidden = state !== "failed";
    const progress = item.querySelector("progress");
    progress.hidden = share === undefined || state !== "sending";
    if (share !== undefined) progress.value = share;
    if (state === "failed") { announce(chat, `Not sent. ${words}`); if (!there) scroll.toEnd(); }
  }

  document.addEventListener("chat:outgoing", ({ detail }) => show(detail));
  for (const entry of await all(me())) show({ entry, state: entry.failed ? "failed" : "sending", sentence: entry.failed });
}

function preview(file, entry) {
  if (!file.type.startsWith("image/")) {
    const card = document.createElement("span");
    card.className = "msg-pdf-name";
    card.textContent = `${file.name} · ${sizeOf(file.size)}`;
    return card;
  }
  const image = document.createElement("img");
  image.alt = file.name;
  image.src = URL.createObjectURL(file);
  urls.set(entry.id, [...(urls.get(entry.id) ?? []), image.src]);
  return image;
}
