// Photos and PDFs for the next message: by button, camera, drop and paste, each with a preview that can be removed.
import { announce } from "./parts.js";

const MOST_BYTES = 10 * 1024 * 1024;
const TYPES = /^(image\/(jpeg|png|webp|gif)|application\/pdf)$/;
const NONE = { add() {}, take: () => [], count: () => 0 };

export const sizeOf = (bytes) => (bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1000))} kB`);

export function takeFiles(chat) {
  const form = chat.querySelector("[data-chat-form]");
  if (!form) return NONE;
  const shelf = form.querySelector("[data-chat-files]");
  const wrong = form.querySelector("[data-chat-wrong]");
  const most = Number(form.dataset.most || 10);
  let chosen = [];

  function refusal(file) {
    if (!TYPES.test(file.type)) return `${file.name} is neither a photo nor a PDF.`;
    if (file.size > MOST_BYTES) return `${file.name} is over 10 MB.`;
    return chosen.length >= most ? `${most} files at most go with one message.` : "";
  }

  function add(files) {
    const refused = [];
    for (const file of files) {
      const why = refusal(file);
      if (why) refused.push(why);
      else chosen.push(file);
    }
    wrong.hidden = !refused.length;
    wrong.textContent = refused.join(" ");
    if (refused.length) announce(chat, wrong.textContent);
    paint();
  }

  function paint() {
    shelf.replaceChildren(...chosen.map(card));
    shelf.hidden = !chosen.length;
    form.dispatchEvent(new CustomEvent("chat:files"));
  }

  function card(file) {
    const item = document.importNode(chat.querySelector("template[data-chosen-file]").content.firstElementChild, true);
    const image = item.querySelector("img");
    if (file.type.startsWith("image/")) {
      image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true }); // sooner, it might still be loading
      image.src = URL.createObjectURL(file);
      item.querySelector("[data-pdf]").remove();
    } else image.remove();
    item.querySelector("[data-name]").textContent = file.name;
    item.querySelector("[data-size]").textContent = sizeOf(file.size);
    const button = item.querySelector("button");
    button.setAttribute("aria-label", `Remove ${file.name}`);
    button.addEventListener("click", () => {
      chosen = chosen.filter((each) => each !== file);
      paint();
      (shelf.querySelector("button") ?? form.querySelector("textarea")).focus();
    });
    return item;
  }

  for (const input of form.querySelectorAll("input[type=file]")) {
    input.addEventListener("change", () => { add(input.files); input.value = ""; });
  }
  form.querySelector("textarea").addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) { event.preventDefault(); add(event.clipboardData.files); }
  });
  listenToDrops(chat, add);
  return { add, take: () => { const taken = chosen; chosen = []; paint(); wrong.hidden = true; return taken; }, count: () => chosen.length };
}

function listenToDrops(chat, add) {
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  chat.addEventListener("dragover", (event) => { if (holdsFiles(event)) { event.preventDefault(); chat.dataset.dropping = ""; } });
  chat.addEventListener("dragleave", (event) => { if (!chat.contains(event.relatedTarget)) delete chat.dataset.dropping; });
  chat.addEventListener("drop", (event) => {
    delete chat.dataset.dropping;
    if (!holdsFiles(event)) return;
    event.preventDefault();
    add(event.dataTransfer.files);
  });
}
