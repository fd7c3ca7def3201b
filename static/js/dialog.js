// <a href="/jobs/5/accept/" data-dialog>: the <main> of that page in a dialog. Its form is posted with the
// same idempotency key until answered; refusals are shown inside; the focus goes back to the link, or to what
// took its place. Without JavaScript the link is a page like any other.
import { newKey, sending } from "./forms.js";
import { toast } from "./toast.js";

const dialog = document.getElementById("dialog");
const SHOWN = new Set([400, 403, 409, 413, 422, 429]);
let opener = null;
let source = "";

const parse = (html) => new DOMParser().parseFromString(html, "text/html");

function fill(doc) {
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn-icon sheet-close";
  close.dataset.dialogClose = "";
  close.setAttribute("aria-label", "Close");
  close.textContent = "×";
  const main = doc.querySelector("main") ?? doc.body;
  dialog.replaceChildren(close, ...[...main.childNodes].map((node) => document.importNode(node, true)));
  const heading = dialog.querySelector("h1");
  if (heading) { heading.tabIndex = -1; heading.id = "dialog-title"; dialog.setAttribute("aria-labelledby", "dialog-title"); }
  for (const form of dialog.querySelectorAll("form")) form.setAttribute("action", form.getAttribute("action") || source);
  window.htmx?.process(dialog);
  document.dispatchEvent(new CustomEvent("dialog:filled", { detail: dialog }));
}

async function open(link) {
  opener = link;
  source = link.href;
  link.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(link.href, { headers: { Accept: "text/html" } });
    if (answer.redirected && new URL(answer.url).pathname !== new URL(link.href).pathname) { location.assign(answer.url); return; }
    if (!answer.ok && !SHOWN.has(answer.status) && answer.status !== 404) throw new Error(`answered ${answer.status}`);
    fill(parse(await answer.text()));
    if (!dialog.open) dialog.showModal();
  } catch {
    location.assign(link.href);
  } finally {
    link.removeAttribute("aria-busy");
  }
}

// The refusal above the form, which keeps what was typed; or the page that came back, form and errors and all.
function show(html, form) {
  const doc = parse(html);
  if (doc.querySelector("main")) {
    fill(doc);
    (dialog.querySelector("[aria-invalid=true], .is-wrong :is(input, select, textarea)") ?? dialog.querySelector("h1"))?.focus();
    return;
  }
  dialog.querySelector("[data-refusal]")?.remove();
  const refusal = doc.body.firstElementChild;
  if (!refusal) return;
  form.before(refusal);
  refusal.tabIndex = -1;
  refusal.focus();
}

async function post(form, submitter) {
  sending(form, true, submitter);
  try {
    const data = new FormData(form, submitter);
    const key = data.get("idempotency_key");
    const answer = await fetch(form.getAttribute("action"), {
      method: "POST", body: data, headers: { "HX-Request": "true", Accept: "text/html", ...(key && { "Idempotency-Key": key }) },
    });
    newKey(form);
    await take(answer, form);
  } catch {
    toast("That did not reach us. Please try again."); // the same key goes with it
  } finally {
    sending(form, false, submitter);
  }
}

async function take(answer, form) {
  if (answer.status === 204) {
    dialog.close();
    document.dispatchEvent(new CustomEvent("dialog-done", { detail: { from: source } }));
    if (!document.querySelector('meta[name="live"]')) location.reload(); // nothing is pushed to this page
  } else if (answer.headers.get("HX-Redirect")) location.assign(answer.headers.get("HX-Redirect"));
  else if (answer.status === 401) location.reload();
  else if (answer.redirected) location.assign(answer.url);
  else if (answer.ok || SHOWN.has(answer.status) || answer.status === 404) show(await answer.text(), form);
  else toast("Something broke on our side. Please try again.");
}

function refocus() {
  const again = opener?.isConnected ? opener : document.querySelector(`a[href="${CSS.escape(opener?.getAttribute("href") ?? "")}"]`);
  const place = again ?? document.querySelector("[data-dialog]") ?? document.getElementById("main");
  place?.focus({ preventScroll: true });
}

if (dialog) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-dialog]");
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (link && plain && !event.defaultPrevented) { event.preventDefault(); open(link); }
    if (event.target.closest("[data-dialog-close]") && dialog.open) { event.preventDefault(); dialog.close(); }
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    event.preventDefault();
    event.stopPropagation();
    if (!event.target.hasAttribute("data-sending")) post(event.target, event.submitter);
  });
  dialog.addEventListener("close", refocus);
}
