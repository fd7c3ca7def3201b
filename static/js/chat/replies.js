// Quick replies: sent with one tap. They come after the page, into a place kept for them.
export function offerReplies(chat, composer) {
  const place = chat.querySelector("[data-chat-replies]");
  if (!place) return;
  place.addEventListener("click", (event) => {
    const button = event.target.closest("[data-reply]");
    if (button) composer?.sendText(button.dataset.reply);
  });
  bring(place);
}

async function bring(place) {
  try {
    const answer = await fetch(place.dataset.chatReplies, { headers: { "HX-Request": "true" }, cache: "no-store" });
    if (!answer.ok || answer.redirected) return;
    place.innerHTML = await answer.text();
    // They bring a topic of their own, and are as old as that answer.
    const topic = place.querySelector("[data-topic]")?.dataset.topic;
    if (topic) document.dispatchEvent(new CustomEvent("live:part", { detail: { topic, cursor: answer.headers.get("Live-Cursor") } }));
  } catch { /* without them one writes */ }
}
