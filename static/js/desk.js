// The desk's list beside an open conversation: which row is open, and the filter that goes along with a tap on one.
const list = document.getElementById("desk-rows");

function mark() {
  for (const link of list.querySelectorAll("[data-live] a[href]")) {
    const open = new URL(link.href).pathname === location.pathname;
    const row = link.closest("[data-live]");
    row.classList.toggle("is-open", open);
    if (open) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

// Rows are the same for everybody, so that their links know nothing of this page's filter.
function keepFilter(event) {
  const link = event.target.closest("[data-live] a[href]");
  if (!link || !location.search) return;
  const url = new URL(link.href);
  const asked = new URLSearchParams(location.search);
  asked.delete("receipts");
  url.search = asked.toString();
  link.href = url.href;
}

if (list) {
  mark();
  document.addEventListener("live:applied", mark);
  for (const kind of ["pointerdown", "click"]) list.addEventListener(kind, keepFilter, true);
}
