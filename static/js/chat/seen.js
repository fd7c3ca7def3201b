// Says how far this person has read: what was on the screen of a visible, focused page. At most once a second, the
// last word always, and again until the marks that come back show it.
import { isMine, isSent, listOf, marksOf, messagesIn, onChange, seqOf } from "./parts.js";

const PACE = 1000;
const DOUBTS = 6; // how often it is said again, ever more seldom

export function saySeen(chat) {
  const onScreen = new Set();
  let read = Number(chat.dataset.read || 0);
  let said = { read: -1, delivered: -1, at: -Infinity, doubts: 0 };
  let timer = 0;

  const isLooking = () => document.visibilityState === "visible" && document.hasFocus();
  const delivered = () => Math.max(0, ...messagesIn(chat).filter(isSent).map(seqOf));
  const mark = () => marksOf(chat).find((each) => isMine(chat, each));

  function isKnown(wanted) {
    const known = mark();
    return known ? known.read >= wanted.read && known.delivered >= wanted.delivered : said.doubts >= DOUBTS;
  }

  function say() {
    timer = 0;
    if (!chat.isConnected) return;
    if (isLooking()) for (const item of onScreen) if (item.isConnected) read = Math.max(read, seqOf(item));
    const wanted = { read, delivered: Math.max(read, delivered()) };
    if (!wanted.delivered || isKnown(wanted)) return;
    const isNew = wanted.read !== said.read || wanted.delivered !== said.delivered;
    if (!isNew && said.doubts >= DOUBTS) return;
    said = { ...wanted, at: performance.now(), doubts: isNew ? 0 : said.doubts + 1 };
    const detail = { kind: "chat.seen", data: { conversation: Number(chat.dataset.conversation), ...wanted } };
    document.dispatchEvent(new CustomEvent("live:say", { detail }));
    timer = setTimeout(say, PACE * 2 ** (said.doubts + 1));
  }

  // Something may have been seen: at once, or when the second is over.
  function look() {
    if (timer && said.doubts === 0 && performance.now() - said.at >= PACE) { clearTimeout(timer); timer = 0; }
    clearTimeout(timer);
    timer = setTimeout(say, Math.max(60, said.at + PACE - performance.now()));
  }

  const eye = new IntersectionObserver((seen) => {
    for (const each of seen) {
      const enough = Math.min(each.boundingClientRect.height / 2, innerHeight / 3);
      if (each.isIntersecting && each.intersectionRect.height >= enough) onScreen.add(each.target);
      else onScreen.delete(each.target);
    }
    look();
  }, { threshold: [0, 0.1, 0.25, 0.5, 0.75, 1] });

  const watched = new WeakSet();
  onChange(chat, () => {
    for (const item of messagesIn(chat)) {
      if (!isSent(item) || watched.has(item)) continue;
      watched.add(item);
      eye.observe(item);
    }
    look();
  });
  addEventListener("focus", look);
  document.addEventListener("visibilitychange", look);
  document.addEventListener("live:welcome", look);
  listOf(chat)?.addEventListener("pointerdown", look, { passive: true });
}
