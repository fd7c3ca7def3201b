// Menus are <details data-menu>: they close on Escape, on a click elsewhere, and give the focus back.
function close(menu, refocus) {
  menu.open = false;
  if (refocus) menu.querySelector("summary").focus();
}

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) close(menu, false);
  }
});

// What is done from a menu and leaves the page as it is: the menu closes, and what it holds may change.
document.addEventListener("click", (event) => {
  const menu = event.target.closest("[data-menu-close]")?.closest("details[data-menu]");
  if (menu) close(menu, true);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details[data-menu][open]");
  if (menu) close(menu, menu.contains(document.activeElement));
});
