// Opens at the first unread message, else at the end; stays at the end only when already there. Otherwise a pill
// says how many are new below.
import { announce, isCalm, isOwn, isSent, listOf, messagesIn, onChange, seqOf } from "./parts.js";

const NEAR = 64; // pixels

const saying = (item) => `${item.querySelector("[data-who]")?.textContent.trim() || "New message"}: ${
  item.querySelector("[data-text]")?.textContent.trim() || "a file"}`;

export function keepScroll(chat) {
  const box = chat.querySelector("[data-chat-scroll]");
  const pill = chat.querySelector("[data-chat-pill]");
  const isAtEnd = () => box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
  let stuck = true;
  let below = 0;
  let newest = Math.max(0, ...messagesIn(chat).map(seqOf));

  function toEnd(smoothly = false) {
    box.scrollTo({ top: box.scrollHeight, behavior: smoothly && !isCalm.matches ? "smooth" : "instant" });
    stuck = true;
  }

  function count(more) {
    below = more;
    pill.hidden = below === 0;
    pill.querySelector("[data-count]").textContent = `${below} new ${below === 1 ? "message" : "messages"}`;
  }

  function arrived() {
    const fresh = messagesIn(chat).filter((item) => isSent(item) && seqOf(item) > newest);
    if (!fresh.length) return;
    newest = Math.max(...fresh.map(seqOf));
    const others = fresh.filter((item) => !isOwn(chat, item));
    if (!others.length) return;
    announce(chat, others.map(saying).join(". "));
    if (stuck && !isAtEnd()) toEnd();
    if (!stuck) count(below + others.length);
  }

  const first = box.querySelector("[data-first-new]");
  if (first) box.scrollTop += first.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 5;
  else toEnd();
  stuck = isAtEnd();

  // Only who moves up lets go of the end: more may have come below since the move that this event tells of, and a
  // list that grew shorter moves by itself.
  let [top, height] = [box.scrollTop, box.scrollHeight];
  box.addEventListener("scroll", () => {
    if (isAtEnd()) stuck = true;
    else if (box.scrollTop < top - 1 && box.scrollHeight >= height) stuck = false;
    [top, height] = [box.scrollTop, box.scrollHeight];
    if (stuck && below) count(0);
  }, { passive: true });
  const size = new ResizeObserver(() => { if (stuck) toEnd(); });
  size.observe(box);
  if (listOf(chat)) size.observe(listOf(chat));
  pill.addEventListener("click", () => { count(0); toEnd(true); box.focus({ preventScroll: true }); });
  onChange(chat, arrived);

  // Content put above what is read: it stays where it is. Measured after the days and names have been drawn into it.
  function keepPlace(act) {
    const fromEnd = box.scrollHeight - box.scrollTop;
    act();
    queueMicrotask(() => { box.scrollTop = box.scrollHeight - fromEnd; });
  }
  return { toEnd, keepPlace, box };
}
