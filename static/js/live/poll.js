// The fallback: the same truth by asking, while there is no socket.
import { page, settings } from "./settings.js";

const JITTER = 0.2;
const LONGEST = 4000; // characters
const SLOWER = 1.5; // after each unchanged answer

export class Poll {
  // `on` hears heard(), answer(message), unchanged(cursor), asOf(ms), transport(word), signedOut(), failed().
  constructor(ask, on) {
    Object.assign(this, { ask, on, running: false, every: settings.pollEvery });
  }

  start(soon) {
    if (this.running) return;
    this.running = true;
    this.every = soon ? settings.pollEvery / SLOWER : settings.pollEvery; // the first answer slows it already
    if (soon) this.now();
    else this.later();
  }

  stop() {
    this.running = false;
    clearTimeout(this.timer);
    this.flight?.abort();
    this.flight = null;
  }

  later() {
    clearTimeout(this.timer);
    if (this.running) this.timer = setTimeout(() => this.now(), this.every * (1 - JITTER + 2 * JITTER * Math.random()));
  }

  // A question on its way is given up: it may have left before the page followed all that it does now, and its
  // answer would move the cursor past what it did not ask for.
  async now() {
    clearTimeout(this.timer);
    this.flight?.abort();
    if (!this.running) return;
    const flight = new AbortController();
    this.flight = flight;
    const patience = setTimeout(() => flight.abort(), 15_000);
    try {
      const answer = await this.question({ signal: flight.signal, cache: "no-store", headers: { Accept: "application/json" } });
      const message = answer.status === 200 ? await answer.json() : null;
      if (this.flight === flight) this.take(answer, message);
    } catch {
      if (this.flight === flight) this.on.failed();
    } finally {
      clearTimeout(patience);
      if (this.flight === flight) { this.flight = null; this.later(); }
    }
  }

  // What does not fit an address (proxies take 8 kB) is posted.
  question(options) {
    const { cursor, topics, failed } = this.ask();
    const query = new URLSearchParams({
      c: cursor, page: page().slice(0, 200), ...(settings.link && { link: settings.link }), ...(failed && { failed }),
    });
    for (const topic of topics) query.append("topic", topic);
    const text = query.toString();
    if (text.length > LONGEST) return fetch(settings.poll, { ...options, method: "POST", body: query });
    return fetch(`${settings.poll}?${text}`, options);
  }

  take(answer, message) {
    if (answer.status === 401 || answer.status === 403) { this.stop(); this.on.signedOut(); return; }
    if (answer.status !== 200 && answer.status !== 204) { this.on.failed(); return; }
    this.on.heard();
    this.on.asOf(Number(answer.headers.get("Live-As-Of")) || Date.now());
    if (message) {
      this.every = settings.pollEvery;
      this.on.answer(message);
    } else {
      this.every = Math.min(settings.pollMost, this.every * SLOWER);
      this.on.unchanged(answer.headers.get("Live-Cursor"));
    }
    this.on.transport(answer.headers.get("Live-Transport"));
  }
}
