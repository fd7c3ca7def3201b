// Ticked jobs: how many, all at once, and kept while rows are renewed. A tick is made the row's default, so that a
// ticked row goes on following (waiting.js holds back what somebody is typing in).
const bulk = document.querySelector("[data-jobs-bulk]");
const all = bulk.querySelector("[data-jobs-all]");
const words = bulk.querySelector("[data-jobs-count]");
const ticked = new Set();
const boxes = () => [...document.querySelectorAll(".jobs-tick")];

function show() {
  const number = boxes().filter((box) => box.checked).length;
  bulk.classList.toggle("is-used", number > 0);
  words.textContent = number ? `${number} ticked` : "Tick all of this page";
  all.checked = number > 0 && number === boxes().length;
  all.indeterminate = number > 0 && !all.checked;
  for (const button of bulk.querySelectorAll("button")) button.disabled = !number;
}

function tick(box, on) {
  box.checked = on;
  box.defaultChecked = on;
  if (on) ticked.add(box.value);
  else ticked.delete(box.value);
}

document.addEventListener("change", ({ target }) => {
  if (target === all) for (const box of boxes()) tick(box, all.checked);
  else if (target.matches(".jobs-tick")) tick(target, target.checked);
  else return;
  show();
});

// Rows that were renewed come without their tick.
function again() {
  for (const box of boxes()) if (box.checked !== ticked.has(box.value)) tick(box, ticked.has(box.value));
  show();
}
document.addEventListener("live:applied", again);
document.addEventListener("live:page", again);
all.hidden = false;
again();
