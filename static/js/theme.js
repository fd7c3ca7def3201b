// The theme before the first paint (so this one is a plain script in the head, not a module), and its button.
(() => {
  const KEY = "theme";
  const root = document.documentElement;
  const words = { system: "Theme: system", light: "Theme: light", dark: "Theme: dark" };
  const order = ["system", "light", "dark"];

  const stored = () => {
    try { return localStorage.getItem(KEY) ?? "system"; } catch { return "system"; }
  };

  const show = (theme) => {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      button.hidden = false;
      button.querySelector("[data-theme-word]").textContent = words[theme];
    }
  };

  show(stored());
  document.addEventListener("DOMContentLoaded", () => show(stored()));
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const next = order[(order.indexOf(stored()) + 1) % order.length];
    try { localStorage.setItem(KEY, next); } catch { /* private mode: it lasts for this page */ }
    show(next);
  });
})();
