// The topics that a page follows are those of the live elements it holds.
const MOST = 500;

export function topicsOnPage() {
  const found = new Set();
  for (const element of document.querySelectorAll("[data-topic]:not([data-gone])")) found.add(element.dataset.topic);
  return new Set([...found].slice(0, MOST));
}

export function difference(wanted, followed) {
  return {
    added: [...wanted].filter((topic) => !followed.has(topic)),
    dropped: [...followed].filter((topic) => !wanted.has(topic)),
  };
}
