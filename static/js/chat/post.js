// One message to the server, with its files and how far they have come. Answers { status, piece?, sentence?, wait? }.
import { isWelcomed } from "../live/status.js";

const headers = () => JSON.parse(document.body.getAttribute("hx-headers") ?? "{}"); // the CSRF token
const PATIENCE = 120_000;

function sentenceIn(html) {
  const doc = new DOMParser().parseFromString(html, "text/html");
  const said = doc.querySelector("[data-refusal] p");
  said?.querySelector("strong")?.remove();
  return said?.textContent.trim() ?? "";
}

function answerOf(request) {
  const status = request.status;
  const isJson = (request.getResponseHeader("Content-Type") ?? "").startsWith("application/json");
  if (status === 204) return { status: 200, piece: null };
  if (status === 200 && isJson) return { status, piece: JSON.parse(request.responseText) };
  if (status >= 200 && status < 300) return { status: 401 }; // the sign-in page
  return {
    status,
    sentence: status >= 400 && status < 500 ? sentenceIn(request.responseText) : "",
    wait: 1000 * (Number(request.getResponseHeader("Retry-After")) || 0),
  };
}

function formOf(entry) {
  const data = new FormData();
  data.append("id", entry.id);
  data.append("text", entry.text);
  for (const file of entry.files) data.append("file", file, file.name);
  return data;
}

// `progress(share)` is told of the upload, 0 to 1. A status of 0: it did not reach us.
export function post(entry, progress) {
  // With a socket the push brings the message: the server need not render it for us a second time.
  const mine = { ...headers(), "HX-Request": "true", ...(isWelcomed() && { "Live-Socket": "1" }) };
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", entry.url);
    for (const [name, value] of Object.entries(mine)) request.setRequestHeader(name, value);
    request.timeout = PATIENCE + entry.files.length * PATIENCE;
    if (entry.files.length) request.upload.onprogress = (event) => { if (event.lengthComputable) progress(event.loaded / event.total); };
    request.onload = () => { try { resolve(answerOf(request)); } catch { resolve({ status: 0 }); } };
    request.onerror = request.ontimeout = request.onabort = () => resolve({ status: 0 });
    request.send(formOf(entry));
  });
}
