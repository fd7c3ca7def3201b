// Where the parts of a conversation are. Messages that are only on their way have no version.
export const listOf = (chat) => chat.querySelector('[data-live-list="chat.message"]');
export const messagesIn = (chat) => [...(listOf(chat)?.querySelectorAll(":scope > [data-live]") ?? [])];
export const isSent = (item) => item.dataset.version !== undefined;
export const seqOf = (item) => Number(item.dataset.seq ?? 0);
export const isOwn = (chat, item) => item.dataset.side === chat.dataset.side;
export const isCalm = matchMedia("(prefers-reduced-motion: reduce)");

// How far each side has got, as the page was last told.
export function marksOf(chat) {
  try { return JSON.parse(chat.querySelector("[data-marks]")?.dataset.marks || "[]"); } catch { return []; }
}

export const isMine = (chat, mark) => (chat.dataset.side === "desk" ? mark.side === "desk" : String(mark.user) === chat.dataset.me);

// After every change of the list, whoever made it: a push, a poll, the answer to a POST, older messages.
export function onChange(chat, act) {
  const list = listOf(chat);
  if (list) new MutationObserver(act).observe(list, { childList: true });
  act();
}

// For screen readers, politely: what others wrote, and what became of one's own.
export function announce(chat, words) {
  const place = chat.querySelector("[data-chat-news]");
  if (place) place.textContent = words;
}
