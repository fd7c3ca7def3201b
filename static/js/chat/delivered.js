// A message has been delivered once it reached any page of the person: the fragment in the navigation says which
// have not, and every page answers for them. Said again, ever more seldom, until the fragment has no more of them.
const FIRST = 1000;
const MOST = 30_000;
let said = "";
let wait = FIRST;
let timer = 0;

function pending() {
  try { return JSON.parse(document.querySelector("[data-delivered]")?.dataset.delivered || "{}"); } catch { return {}; }
}

function say() {
  clearTimeout(timer);
  timer = 0;
  const open = Object.entries(pending());
  if (!open.length) { said = ""; wait = FIRST; return; }
  const now = JSON.stringify(open);
  wait = now === said ? Math.min(MOST, 2 * wait) : FIRST;
  said = now;
  for (const [conversation, delivered] of open) {
    const detail = { kind: "chat.seen", data: { conversation: Number(conversation), delivered, read: 0 } };
    document.dispatchEvent(new CustomEvent("live:say", { detail }));
  }
  timer = setTimeout(say, wait);
}

// At once for what is new, and for the rest when its time has come.
function look() {
  const open = Object.entries(pending());
  if (open.length && JSON.stringify(open) !== said) {
    if (!timer || wait > FIRST) { clearTimeout(timer); timer = setTimeout(say, 50); wait = FIRST; }
  }
}

document.addEventListener("live:applied", look);
document.addEventListener("live:welcome", look);
look();
