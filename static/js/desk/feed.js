// The feed of what happens: kinds of lines may be muted, in this browser only, and it never grows without end.
const KEY = "desk-feed-muted";
const MOST = 80; // lines
const feed = document.querySelector(".feed");
const menu = feed.querySelector(".feed-mute");
const boxes = [...menu.querySelectorAll("input[type=checkbox]")];
const lines = () => [...document.querySelectorAll("#feed > [data-kind]")];

function stored() {
  try { return JSON.parse(localStorage.getItem(KEY)) ?? []; } catch { return []; }
}

function keep(muted) {
  try { localStorage.setItem(KEY, JSON.stringify(muted)); } catch { /* private mode: it lasts for this page */ }
}

// The stylesheet hides the lines, so that a muted one that comes is never seen, not even for a moment.
function show() {
  const muted = boxes.filter((box) => !box.checked).map((box) => box.value);
  feed.dataset.muted = muted.join(" ");
  document.getElementById("feed-muted").textContent = muted.length ? `${muted.length} muted` : "Mute";
  silence();
  return muted;
}

function silence() {
  const all = lines();
  const muted = feed.dataset.muted.split(" ");
  document.getElementById("feed-silent").hidden = all.length === 0 || all.some((line) => !muted.includes(line.dataset.kind));
}

function trim() {
  if (!document.getElementById("feed").matches(":hover, :focus-within")) lines().slice(MOST).forEach((line) => line.remove());
  silence();
}

const before = stored();
for (const box of boxes) box.checked = !before.includes(box.value);
menu.hidden = false;
show();
menu.addEventListener("change", () => keep(show()));
document.addEventListener("live:applied", trim);
