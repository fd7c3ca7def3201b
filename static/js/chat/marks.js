// Ticks on one's own messages: sent, delivered (it reached a page of theirs), read (it was on their screen). An icon
// and a word. They say what the one who was furthest behind has reached; the desk counts only when it is the other side.
import { isMine, isOwn, isSent, marksOf, messagesIn, onChange, seqOf } from "./parts.js";

function others(chat) {
  const marks = marksOf(chat).filter((mark) => !isMine(chat, mark) && mark.side !== chat.dataset.side);
  const people = marks.filter((mark) => mark.side !== "desk");
  return people.length ? people : marks;
}

const least = (marks, name) => (marks.length ? Math.min(...marks.map((mark) => mark[name])) : 0);

function draw(chat, place, state) {
  if (place.dataset.state === state) return;
  const shape = chat.querySelector(`template[data-tick="${state}"]`);
  place.replaceChildren(shape.content.cloneNode(true));
  place.dataset.state = state;
}

export function paintMarks(chat) {
  const paint = () => {
    const them = others(chat);
    const [read, delivered] = [least(them, "read"), least(them, "delivered")];
    for (const item of messagesIn(chat)) {
      const place = item.querySelector("[data-ticks]");
      if (!place || !isSent(item) || !isOwn(chat, item)) continue;
      const seq = seqOf(item);
      draw(chat, place, seq <= read ? "read" : seq <= delivered ? "delivered" : "sent");
    }
  };
  onChange(chat, paint);
  document.addEventListener("live:applied", paint);
}
