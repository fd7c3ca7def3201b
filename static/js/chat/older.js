// Older messages, when the top comes near or the link is used. Without JavaScript the link is a page.
import { listOf } from "./parts.js";

export function loadOlder(chat, scroll) {
  const link = chat.querySelector("[data-chat-older]");
  if (!link) return;
  let running = false;

  function place(doc) {
    const items = [...doc.querySelectorAll("ol > [data-live]")].filter((item) => !document.getElementById(item.id));
    const next = doc.querySelector("ol")?.dataset.older;
    scroll.keepPlace(() => {
      listOf(chat).prepend(...items.map((item) => document.importNode(item, true)));
      if (next) link.href = next;
      else link.remove();
    });
  }

  async function load() {
    if (running || !link.isConnected) return;
    running = true;
    link.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(link.href, { headers: { "HX-Request": "true" }, cache: "no-store" });
      if (!answer.ok || answer.redirected) throw new Error(`answered ${answer.status}`);
      place(new DOMParser().parseFromString(await answer.text(), "text/html"));
      // They are as old as that answer: what changed in them since is asked for again.
      const detail = { topic: listOf(chat).dataset.topic, cursor: answer.headers.get("Live-Cursor") };
      document.dispatchEvent(new CustomEvent("live:part", { detail }));
    } catch {
      await new Promise((resolve) => { setTimeout(resolve, 3000); });
    }
    running = false;
    link.removeAttribute("aria-busy");
    if (link.isConnected) { near.unobserve(link); near.observe(link); } // still in sight: once more
  }

  const near = new IntersectionObserver((seen) => { if (seen.some((each) => each.isIntersecting)) load(); },
    { root: scroll.box, rootMargin: "300px 0px 0px" });
  near.observe(link);
  link.addEventListener("click", (event) => { event.preventDefault(); load(); });
}
