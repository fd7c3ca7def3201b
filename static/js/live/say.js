// What a page says over its socket, by POST while there is none.
import { settings } from "./settings.js";

const headers = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}"); // the CSRF token

export function post(said) {
  const query = settings.link ? `?link=${encodeURIComponent(settings.link)}` : "";
  return fetch(`${settings.say}${query}`, {
    method: "POST", keepalive: true, headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(said),
  });
}
