// On a phone the keyboard lies over the page: the conversation takes the height that is left.
const view = window.visualViewport;
const root = document.documentElement;

function fit() {
  const covered = innerHeight - view.height;
  const isOpen = covered > 120 && view.scale <= 1.05;
  root.classList.toggle("keyboard-open", isOpen);
  if (isOpen) root.style.setProperty("--seen-height", `${Math.round(view.height)}px`);
  else root.style.removeProperty("--seen-height");
}

if (view) {
  view.addEventListener("resize", fit);
  fit();
}
