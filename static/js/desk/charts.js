// The dashboard's charts, drawn from the table behind them: whatever the table says, live or fresh, they show.
const board = document.getElementById("charts");
const figures = [...board.querySelectorAll("[data-chart]")];
const table = () => document.querySelector('[data-live="adminpanel.charts"]');
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const drawn = new Map(); // figure -> its chart
let shown = ""; // what the charts show, so that nothing is drawn twice

// Colours are tokens in light-dark(): only the browser knows what they come to, on an element that wears them.
const worn = (element, name) => getComputedStyle(element)[name];

const number = (cell) => (cell === "" || cell === undefined ? null : Number(cell));

function read(columns) {
  const rows = [...table().tBodies[0].rows];
  return {
    labels: rows.map((row) => row.cells[0].textContent.trim()),
    series: columns.map((column) => rows.map((row) => number(row.querySelector(`[data-${column}]`).getAttribute(`data-${column}`)))),
  };
}

function words(figure, value) {
  if (figure.dataset.columns === "revenue") {
    return value.toLocaleString("en-GB", { style: "currency", currency: table().dataset.currency, maximumFractionDigits: 0 });
  }
  return figure.dataset.chart === "line" ? `${value} min` : value.toLocaleString("en-GB");
}

function look(figure) {
  const names = [...figure.querySelectorAll(".legend > span")];
  return names.map((name) => ({ label: name.textContent.trim(), colour: worn(name.querySelector(".swatch"), "backgroundColor") }));
}

function datasets(figure, series) {
  const line = figure.dataset.chart === "line";
  return look(figure).map(({ label, colour }, place) => ({
    label,
    data: series[place],
    backgroundColor: colour,
    borderColor: colour,
    borderWidth: line ? 2 : 0,
    borderRadius: 3,
    maxBarThickness: 18,
    pointRadius: line ? 2.5 : 0,
    spanGaps: true,
  }));
}

function options(figure) {
  const ink = worn(figure, "color");
  const rule = worn(figure, "borderTopColor");
  return {
    responsive: true,
    maintainAspectRatio: false,
    animation: calm.matches ? false : { duration: 250 },
    interaction: { mode: "index", intersect: false },
    scales: {
      x: { grid: { display: false }, border: { color: rule }, ticks: { color: ink, maxRotation: 0, autoSkipPadding: 12 } },
      y: { beginAtZero: true, grid: { color: rule }, border: { display: false }, ticks: { color: ink, maxTicksLimit: 5, precision: 0, callback: (value) => words(figure, value) } },
    },
    plugins: {
      legend: { display: false },
      tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${item.raw === null ? "none" : words(figure, item.raw)}` } },
    },
  };
}

function draw(figure) {
  const { labels, series } = read(figure.dataset.columns.split(" "));
  const data = { labels, datasets: datasets(figure, series) };
  const chart = drawn.get(figure);
  if (!chart) {
    const made = new window.Chart(figure.querySelector("canvas"), { type: figure.dataset.chart, data, options: options(figure) });
    drawn.set(figure, made);
    return;
  }
  chart.data = data;
  chart.options = options(figure);
  chart.update();
}

function show() {
  const now = table();
  const says = now ? now.innerHTML : "";
  if (!says || says === shown) return;
  shown = says;
  board.hidden = false;
  figures.forEach(draw);
}

function recolour() {
  shown = "";
  show();
}

window.Chart.defaults.font.family = worn(document.body, "fontFamily");
show();
document.addEventListener("live:applied", show);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
new MutationObserver(recolour).observe(document.documentElement, { attributeFilter: ["data-theme"] });
