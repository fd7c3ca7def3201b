// "Anna is typing…": said at most every three seconds, shown for five by itself. To a screen reader once a while.
import { announce, listOf } from "./parts.js";

const EVERY = 3000;
const SHOWN = 5000;
const SPOKEN = 60_000;

export function sayTyping(chat) {
  const place = chat.querySelector("[data-chat-typing]");
  const topic = listOf(chat)?.dataset.topic;
  const who = new Map(); // name -> timer
  const spoken = new Map();
  let said = -Infinity;

  chat.querySelector("[data-chat-form] textarea")?.addEventListener("input", (event) => {
    if (!event.target.value.trim() || performance.now() - said < EVERY || !event.isTrusted) return;
    said = performance.now();
    const detail = { kind: "chat.typing", data: { conversation: Number(chat.dataset.conversation) } };
    document.dispatchEvent(new CustomEvent("live:say", { detail }));
  });
  document.addEventListener("chat:outgoing", () => { said = -Infinity; });

  function paint() {
    const names = [...who.keys()];
    place.hidden = names.length === 0;
    place.querySelector("[data-names]").textContent = names.length ? `${names.join(" and ")} ${names.length > 1 ? "are" : "is"} typing…` : "";
  }

  function stop(name) {
    clearTimeout(who.get(name));
    if (who.delete(name)) paint();
  }

  document.addEventListener("live:signal", ({ detail }) => {
    if (detail.name !== "typing" || detail.topic !== topic) return;
    const { name } = detail.data;
    const left = SHOWN - (detail.age ?? 0); // a poll brings it again with every answer while it holds
    if (left <= 0) return;
    clearTimeout(who.get(name));
    who.set(name, setTimeout(stop, left, name));
    paint();
    if (performance.now() - (spoken.get(name) ?? -Infinity) < SPOKEN) return;
    spoken.set(name, performance.now());
    announce(chat, `${name} is typing`);
  });

  // Whoever has written is no longer typing. A message that was there and is drawn again says nothing of it.
  new MutationObserver((changes) => {
    const gone = new Set(changes.flatMap((change) => [...change.removedNodes]).map((node) => node.id));
    const added = changes.flatMap((change) => [...change.addedNodes]).filter((node) => node.dataset?.side && !gone.has(node.id));
    if (added.some((node) => node.dataset.side !== chat.dataset.side)) for (const name of [...who.keys()]) stop(name);
  }).observe(listOf(chat) ?? chat, { childList: true });
}
