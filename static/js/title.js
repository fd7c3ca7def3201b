// The page title: "(3) Kitchen tap". What the bell has unread, and other news that came while the tab was hidden.
const title = document.title;
let missed = 0;

function show() {
  const count = Number(document.querySelector("[data-unread]")?.dataset.unread ?? 0) + missed;
  const wanted = count ? `(${count}) ${title}` : title;
  if (document.title !== wanted) document.title = wanted;
}

// News that no bell counts.
export function miss() {
  if (!document.hidden) return;
  missed += 1;
  show();
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  missed = 0;
  show();
});
// After each swap, also of a bell that waited for its menu to close.
for (const event of ["live:applied", "htmx:oobAfterSwap"]) document.addEventListener(event, show);
show();
