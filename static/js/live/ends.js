// The ends of a live page: signed out, not ours, no longer ours.
import { page, settings } from "./settings.js";

export function signedOut() {
  location.assign(`${settings.signIn}?${new URLSearchParams({ next: page() })}`);
}

function say(title, sentence) {
  const notice = document.createElement("section");
  notice.className = "empty empty-page";
  notice.setAttribute("role", "alert");
  notice.innerHTML = '<h1></h1><p></p><p class="actions"><a class="btn btn-primary" href="/">Home</a></p>';
  notice.querySelector("h1").textContent = title;
  notice.querySelector("p").textContent = sentence;
  document.getElementById("main")?.replaceChildren(notice);
}

// Our own URL answers 403 or 404 now: nothing of the page stays.
export const lost = () => say("This is no longer yours to see.", "It was closed, given to somebody else, or your access ended.");

// The server will not talk to this page. One that was opened by a link may be over: its own address says so.
export async function ended() {
  const answer = settings.link && await fetch(page(), { cache: "no-store" }).catch(() => null);
  if (answer && answer.status === 410) location.reload();
  else say("This is no longer yours to see.", "Load the page again to see what you may.");
}
