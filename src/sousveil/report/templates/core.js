// The cameras as the page carries them, what is chosen of them, and small helpers.

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("cameras-data").textContent);
const { cameras, words, view, boundary, tiles, credit } = data;
const FACETS = ["kind", "operator_class", "setting"];
const NOT_RECORDED = "not recorded";

// Names in open data may hold anything: text enters the page through textContent alone.
function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

function code(name, i) {
  return cameras.codes[name][i];
}

function word(name, i) {
  return words.codes[name][code(name, i)];
}

function text(name, i) {
  const column = cameras.texts[name];
  return column && column.rows[i] ? column.words[column.rows[i] - 1] : null;
}

function quantity(name, i) {
  const column = cameras.numbers[name];
  return column ? column[i] : null;
}

function lonLat(i) {
  return [cameras.lon[i] / 1e6, cameras.lat[i] / 1e6];
}

function plain(value) {
  if (value === null) return null;
  const spaced = value.replaceAll("_", " ");
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

const POINTS = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"];

function directions(i) {
  const bearings = cameras.bearings[i];
  if (!bearings) return null;
  return bearings.map((b) => `${b}° ${POINTS[Math.round(b / 45) % 8]}`).join(", ");
}

function day(iso) {
  if (iso === null) return null;
  const [year, month, date] = iso.split("-").map(Number);
  return `${date} ${words.months[month - 1]} ${year}`;
}

const { format: count } = new Intl.NumberFormat("en");

// What is chosen: codes switched off in each facet, and the search.
const chosen = {
  mode: "operator_class",
  off: Object.fromEntries(FACETS.map((name) => [name, new Set()])),
  search: "",
};
let searchable = null;

function searchText(i) {
  searchable ??= Array.from({ length: cameras.n }, (_, k) =>
    [text("operator", k), text("zone", k), text("mount", k), word("kind", k), word("housing", k),
      text("purpose", k), cameras.id[k], cameras.objects[k]].filter(Boolean).join("\n").toLowerCase());
  return searchable[i];
}

function passes(i, except = null) {
  for (const name of FACETS) {
    if (name !== except && chosen.off[name].has(code(name, i))) return false;
  }
  return !chosen.search || searchText(i).includes(chosen.search);
}

function selected() {
  const rows = [];
  for (let i = 0; i < cameras.n; i++) if (passes(i)) rows.push(i);
  return rows;
}

const listeners = [];

function changed() {
  const rows = selected();
  for (const listener of listeners) listener(rows);
}
