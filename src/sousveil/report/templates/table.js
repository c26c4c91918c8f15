// The cameras as a list that can be sorted and paged: the map for those who do not see it.

const PAGE_ROWS = 20;
const collator = new Intl.Collator("en", { numeric: true });
const EVERY_COLUMN = [
  { name: "Camera", value: heading },
  { name: "Run by", value: (i) => (code("operator_class", i) ? word("operator_class", i) : null) },
  { name: "Operator", value: (i) => text("operator", i) },
  { name: "Setting", value: (i) => (code("setting", i) ? word("setting", i) : null), optional: true },
  { name: "Zone", value: (i) => plain(text("zone", i)), optional: true },
  { name: "Direction", value: directions, key: (i) => (cameras.bearings[i] ? cameras.bearings[i][0] : null), optional: true },
  { name: "Height", value: (i) => (quantity("height_m", i) === null ? null : `${quantity("height_m", i)} m`),
    key: (i) => quantity("height_m", i), optional: true },
  { name: "Last record", value: lastRecord, key: (i) => text("last_seen", i), optional: true },
];
// A column in which nothing is recorded would only push the others aside.
const COLUMNS = EVERY_COLUMN.filter(({ value }) => cameras.id.some((_, i) => value(i) !== null));
const list = { rows: [], page: 0, column: COLUMNS.at(-1), descending: true }; // newest first

// Texts of a column repeat: the few distinct ones are put in order once, and rows compare numbers.
function ranks(column) {
  const key = column.key ?? column.value;
  const keys = cameras.id.map((_, i) => key(i));
  const distinct = [...new Set(keys)].filter((value) => typeof value === "string").sort(collator.compare);
  const place = new Map(distinct.map((value, k) => [value, k]));
  return keys.map((value) => place.get(value) ?? value);
}

function compare(column, descending) {
  const rank = (column.ranks ??= ranks(column));
  const sign = descending ? -1 : 1;
  return (a, b) => {
    const [left, right] = [rank[a], rank[b]];
    if (left === null || right === null) return (left === null) - (right === null) || a - b;
    return sign * (left - right) || a - b;
  };
}

function tableHead() {
  const row = element("tr");
  for (const column of COLUMNS) {
    const button = element("button", { type: "button", textContent: column.name });
    button.addEventListener("click", () => {
      list.descending = list.column === column && !list.descending;
      list.column = column;
      list.page = 0;
      markSorted(row);
      sortRows();
      showPage();
    });
    row.append(element("th", { scope: "col", className: column.optional ? "optional" : "" }, button));
  }
  markSorted(row);
  byId("cameras-table").tHead.replaceChildren(row);
}

function markSorted(row) {
  COLUMNS.forEach((column, k) => {
    if (column === list.column) row.children[k].setAttribute("aria-sort", list.descending ? "descending" : "ascending");
    else row.children[k].removeAttribute("aria-sort");
  });
}

function sortRows() {
  list.rows.sort(compare(list.column, list.descending));
}

function tableRow(i) {
  const row = element("tr");
  const open = element("button", { type: "button", textContent: heading(i) });
  const also = [text("operator", i), lastRecord(i)].filter(Boolean).join(", ");
  open.setAttribute("aria-label", `${heading(i)}${also && `, ${also}`}: ${map ? "show on map" : "all that is known"}`);
  open.addEventListener("click", () => (map ? showOnMap(i, open) : openDialog(i)));
  row.append(element("th", { scope: "row" }, open));
  for (const column of COLUMNS.slice(1)) {
    const value = column.value(i);
    const cell = element("td", { textContent: value ?? "–", className: column.optional ? "optional" : "" });
    if (value === null) cell.classList.add("none");
    row.append(cell);
  }
  return row;
}

function showPage() {
  const pages = Math.max(1, Math.ceil(list.rows.length / PAGE_ROWS));
  list.page = Math.min(Math.max(list.page, 0), pages - 1);
  const from = list.page * PAGE_ROWS;
  const shown = list.rows.slice(from, from + PAGE_ROWS);
  byId("cameras-table").tBodies[0].replaceChildren(...shown.map(tableRow));
  byId("page").textContent = shown.length
    ? `${count(from + 1)} to ${count(from + shown.length)} of ${count(list.rows.length)}`
    : "No camera matches";
  byId("previous").disabled = list.page === 0;
  byId("next").disabled = list.page === pages - 1;
}

function startTable() {
  tableHead();
  const turn = (by) => () => {
    list.page += by;
    showPage();
  };
  byId("previous").addEventListener("click", turn(-1));
  byId("next").addEventListener("click", turn(1));
  listeners.push((chosenRows) => {
    list.rows = [...chosenRows];
    list.page = 0;
    sortRows();
    showPage();
  });
  byId("list").hidden = false;
}
