// Forms: shown as sending and sent once; one idempotency key until the answer is there; drafts that survive
// errors and Back. <form data-draft="book"> keeps what is typed for this tab; [data-draft-done="book"] on a
// later page (or signing out) forgets it.
const PREFIX = "draft:";
const SECRET = "[type=hidden], [type=password], [type=file], [name=csrfmiddlewaretoken]";

export function newKey(form) {
  const field = form.querySelector("input[name=idempotency_key]");
  if (!field) return;
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  field.value = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function sending(form, on, button) {
  form.toggleAttribute("data-sending", on);
  form.setAttribute("aria-busy", String(on));
  const shown = button ?? form.querySelector("button:not([type=button])");
  shown?.classList.toggle("is-sending", on);
  if (shown) shown.setAttribute("aria-disabled", String(on));
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method === "dialog") return;
  if (form.hasAttribute("data-sending")) { event.preventDefault(); return; } // the second tap of a double tap
  if (form.method !== "post" || form.hasAttribute("data-download")) return; // a file is saved, the page stays
  sending(form, true, event.submitter);
  setTimeout(() => sending(form, false, event.submitter), 20_000); // no answer: the same key may be sent again
});

// Shown again from the back-forward cache: the form was answered, so a new sending is a new deed.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sending]")) {
    sending(form, false);
    for (const shown of form.querySelectorAll(".is-sending")) shown.classList.remove("is-sending");
    newKey(form);
  }
});

const fields = (form) => [...form.elements].filter((field) => field.name && !field.matches(`${SECRET}, button, fieldset`));
const isPick = (field) => field.type === "checkbox" || field.type === "radio";

function store(form) {
  const kept = fields(form).filter((field) => !isPick(field) || field.checked).map((field) =>
    [field.name, field instanceof HTMLSelectElement && field.multiple ? [...field.selectedOptions].map((o) => o.value) : field.value]);
  try { sessionStorage.setItem(PREFIX + form.dataset.draft, JSON.stringify(kept)); } catch { /* full or private: no draft */ }
}

const isUntouched = (form) => fields(form).every((field) => isPick(field) ? !field.checked || field.defaultChecked : true)
  && !form.querySelector(".errorlist, [aria-invalid=true]");

function restore(form) {
  let kept = null;
  try { kept = JSON.parse(sessionStorage.getItem(PREFIX + form.dataset.draft)); } catch { return; }
  if (!kept || !isUntouched(form)) return; // the server sent back what was typed: that is newer
  for (const field of fields(form)) {
    const values = kept.filter(([name]) => name === field.name).map(([, value]) => value);
    if (!values.length) continue;
    if (isPick(field)) field.checked = values.includes(field.value);
    else if (field instanceof HTMLSelectElement && field.multiple) for (const option of field.options) option.selected = values[0].includes(option.value);
    else if (!field.value || field instanceof HTMLSelectElement) [field.value] = values;
  }
  form.dispatchEvent(new CustomEvent("draft:restored", { bubbles: true }));
}

function forget(name) {
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith(PREFIX) && (name === undefined || key === PREFIX + name)) sessionStorage.removeItem(key);
  }
}

document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form?.dataset.draft) store(form);
});
try {
  if (!("signedIn" in document.body.dataset)) forget();
  for (const done of document.querySelectorAll("[data-draft-done]")) forget(done.dataset.draftDone);
  for (const form of document.querySelectorAll("form[data-draft]")) restore(form);
} catch { /* no storage: forms work, without drafts */ }
