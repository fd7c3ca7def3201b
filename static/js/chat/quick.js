// Quick words to the desk from a page that shows no conversation: sent with one tap, kept until they are there.
import { me } from "./me.js";
import { send } from "./sender.js";
import { uuid } from "./uuid.js";

const SAID = { sending: "Sending", waiting: "Waiting for the connection:", sent: "Sent:", failed: "Not sent:" };
let own = "";

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-quick] [data-reply]");
  if (!button) return;
  own = uuid();
  const { quick } = button.closest("[data-quick]").dataset;
  send({ id: own, me: me(), conversation: "", url: quick, text: button.dataset.reply, files: [], at: Date.now(), failed: "" });
});

document.addEventListener("chat:outgoing", ({ detail: { entry, state } }) => {
  const place = document.querySelector("[data-quick-said]");
  if (place && entry.id === own && state in SAID) place.textContent = `${SAID[state]} “${entry.text}”`;
});
