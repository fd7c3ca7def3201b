// What the server told this page: <meta name="live" data-…>, durations in milliseconds.
const meta = document.querySelector('meta[name="live"]');

const seconds = (name, otherwise) => 1000 * Number(meta.dataset[name] ?? otherwise);

export const settings = meta && {
  cursor: meta.dataset.cursor ?? "",
  transport: meta.dataset.transport ?? "socket",
  socket: meta.dataset.socket ?? "/live/socket",
  poll: meta.dataset.poll ?? "/live/poll",
  say: meta.dataset.say ?? "/live/say",
  signIn: meta.dataset.signIn ?? "/accounts/login/",
  link: meta.dataset.link ?? "",
  heartbeat: seconds("heartbeat", 25),
  trouble: seconds("trouble", 3),
  pollEvery: seconds("pollEvery", 10),
  pollMost: seconds("pollMost", 30),
  retryFrom: seconds("retryFrom", 0.5),
  retryMost: seconds("retryMost", 30),
  resync: seconds("resync", 20),
  away: seconds("away", 60),
};

export const page = () => location.pathname + location.search;
