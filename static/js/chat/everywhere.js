// What chat does on every page: what was written before is sent, what arrived counts as delivered.
import { late } from "../late.js";
import "./delivered.js";
import { flush } from "./sender.js";

flush();

let page = null;
function show() {
  if (document.querySelector("[data-chat]")) page ??= late(() => import("./page.js"));
}
if (document.querySelector("[data-quick]")) late(() => import("./quick.js"));
// The link in the navigation is the same on every page: which one this is, the page says itself.
function mark() {
  for (const link of document.querySelectorAll('[data-live="chat.unread"] a')) {
    if (location.pathname.startsWith(link.pathname)) link.setAttribute("aria-current", "page");
  }
}

show();
mark();
document.addEventListener("live:applied", mark);
document.addEventListener("live:applied", show); // a job's page may get its conversation later
