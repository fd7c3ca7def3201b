// Writing: Enter sends where there is a keyboard, the counter warns in time, the draft is kept by forms.js.
import { announce } from "./parts.js";
import { send } from "./sender.js";
import { uuid } from "./uuid.js";

const MOST = 4000;
const WARN = 3600;
const hasKeyboard = matchMedia("(hover: hover) and (pointer: fine)");

export function compose(chat, files) {
  const form = chat.querySelector("[data-chat-form]");
  if (!form) return null;
  const field = form.querySelector("textarea");
  const counter = form.querySelector("[data-chat-count]");

  function count() {
    const rest = MOST - field.value.length;
    counter.hidden = field.value.length < WARN;
    counter.textContent = rest < 0 ? `${-rest} characters too many` : `${rest} left`;
    field.setAttribute("aria-invalid", String(rest < 0));
    form.classList.toggle("has-something", Boolean(field.value.trim()) || files.count() > 0);
    if (!CSS.supports("field-sizing", "content")) grow();
  }

  function grow() {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight + 2, 220)}px`;
  }

  function write(text) {
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true })); // the draft, too
  }

  function sendText(text, taken = []) {
    send({
      id: uuid(), me: chat.dataset.me, conversation: chat.dataset.conversation, url: form.getAttribute("action"),
      text, files: taken, at: Date.now(), failed: "",
    });
  }

  function submit() {
    if (!field.value.trim() && !files.count()) { field.focus(); return; }
    if (field.value.length > MOST) { announce(chat, counter.textContent); field.focus(); return; }
    sendText(field.value.trim(), files.take());
    write("");
    field.focus();
  }

  // A message that was not taken comes back to be changed, before what was typed since.
  function takeBack(entry) {
    write([entry.text, field.value].filter(Boolean).join("\n"));
    files.add(entry.files);
    field.focus();
    field.setSelectionRange(entry.text.length, entry.text.length);
  }

  field.addEventListener("input", count);
  form.addEventListener("draft:restored", count);
  form.addEventListener("chat:files", count);
  form.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || !hasKeyboard.matches) return;
    event.preventDefault();
    submit();
  });
  count();
  return { sendText, takeBack };
}
