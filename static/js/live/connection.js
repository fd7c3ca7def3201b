// The page's one socket: opening, counting what arrives, acknowledging, coming back with back-off and jitter.
import { page, settings } from "./settings.js";

const STOP = new Set([4401, 4403]); // signed out; not yours
const INSTEAD = 4014; // a switch says: ask instead
// At most 32, another number for each page: pages that came back together would all answer the same frame.
const ACK_FRAMES = 17 + Math.floor(Math.random() * 16);
const ACK_BYTES = 64 * 1024;
const HANDSHAKE = 10_000;

const wait = (least, most) => least + Math.random() * (most - least);

export class Connection {
  // `on` hears open(), message(object), down(code), stopped(code), instead().
  constructor(on) {
    Object.assign(this, { on, socket: null, tries: 0, spread: 0, frames: 0, unacked: 0, bytes: 0, lags: [], wanted: false, due: Infinity, beaten: 0, roundTrip: null });
  }

  get isOpen() { return this.socket?.readyState === WebSocket.OPEN; }

  connect() {
    this.wanted = true;
    clearTimeout(this.retry);
    if (this.socket) return; // never two
    const url = new URL(settings.socket, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    Object.assign(this, { socket, frames: 0, unacked: 0, bytes: 0, lags: [] });
    socket.onopen = () => { clearTimeout(this.patience); this.on.open(); };
    socket.onmessage = (event) => { if (socket === this.socket) this.take(event.data); };
    socket.onclose = (event) => { if (socket === this.socket) this.closed(event.code); };
    this.patience = setTimeout(() => this.drop(), HANDSHAKE);
  }

  take(text) {
    this.frames += 1;
    this.unacked += 1;
    this.bytes += text.length;
    this.heard();
    const message = JSON.parse(text);
    if (message.t === "bye") this.spread = 1000 * message.spread;
    if (message.t === "beat") this.roundTrip = Math.round(performance.now() - this.beaten);
    this.on.message(message);
    if (this.unacked >= ACK_FRAMES || this.bytes >= ACK_BYTES || message.more) this.ack();
  }

  ack() {
    this.send({ t: "ack", n: this.frames, lag: this.lags.splice(0, 64) });
    Object.assign(this, { unacked: 0, bytes: 0, lags: [] });
  }

  send(message) {
    if (!this.isOpen) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  // A sign of life is asked for; without an answer in time the connection is dead, whatever the browser thinks.
  beat(away, within) {
    if (!this.isOpen) return;
    if (this.unacked) this.ack();
    this.send({ t: "beat", away, rtt: this.roundTrip });
    this.beaten = performance.now();
    this.expect(within);
  }

  expect(within) {
    const due = performance.now() + within;
    if (due >= this.due) return; // an earlier doubt stands until something arrives
    clearTimeout(this.silence);
    this.due = due;
    this.silence = setTimeout(() => this.drop(), within);
  }

  heard() {
    clearTimeout(this.silence);
    this.due = Infinity;
  }

  // The server answered our hello: the next failure starts the back-off anew.
  welcomed() { this.tries = 0; }

  closed(code) {
    this.socket = null;
    clearTimeout(this.patience);
    this.heard();
    if (STOP.has(code)) { this.wanted = false; this.on.stopped(code); return; }
    this.on.down(code);
    if (code === INSTEAD) { this.wanted = false; this.on.instead(); }
    if (this.wanted) this.retry = setTimeout(() => this.connect(), this.delay(code));
  }

  delay(code) {
    if (code === 4012) return wait(0, this.spread || 5000);
    if (code === 4013) return wait(0, settings.retryFrom);
    const most = Math.min(settings.retryMost, settings.retryFrom * 2 ** this.tries);
    this.tries += 1;
    return wait(most / 2, most);
  }

  // Give up this socket at once and come back.
  drop() {
    const socket = this.socket;
    if (!socket) return;
    this.letGo(socket);
    this.closed(1006);
  }

  letGo(socket) {
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  // No socket any more, and none wanted until connect().
  pause() {
    this.wanted = false;
    clearTimeout(this.retry);
    if (this.socket) { this.letGo(this.socket); this.closed(1000); }
  }

  now() {
    this.tries = 0;
    if (this.wanted) this.connect();
  }
}

// `back`: the page had a socket before.
export const hello = (i, cursor, topics, back) => ({
  t: "hello", i, c: cursor, topics, page: page().slice(0, 200), ...(settings.link && { link: settings.link }), ...(back && { back }),
});
