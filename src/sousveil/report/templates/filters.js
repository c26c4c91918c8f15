// The filters, which are the legend as well, and what they say about the cameras that are left.

const FACET_NAMES = { kind: "Kind", operator_class: "Run by", setting: "Setting" };

function facetSign(name, category) {
  if (name === "setting") return null;
  if (name === "kind") return `mark|${chosen.mode === "kind" ? "kind" : "none"}|${category}|0|0`;
  return chosen.mode === "operator_class" ? `mark|operator_class|1|${category}|0` : null;
}

function facet(name) {
  const present = [...new Set(cameras.codes[name])].sort((a, b) => (a || 99) - (b || 99));
  const set = element("fieldset", { className: "facet" }, element("legend", { textContent: FACET_NAMES[name] }));
  for (const category of present) {
    const box = element("input", { type: "checkbox", checked: !chosen.off[name].has(category) });
    box.dataset.facet = name;
    box.dataset.code = category;
    box.addEventListener("change", () => {
      if (box.checked) chosen.off[name].delete(category);
      else chosen.off[name].add(category);
      changed();
    });
    set.append(element("label", {}, box, element("span", { className: "symbol" }),
      element("span", { className: "name", textContent: words.codes[name][category] }),
      element("span", { className: "count" })));
  }
  return set;
}

// Each count says how many would be left with the other filters as they are.
function countFacets() {
  for (const name of FACETS) {
    const counts = new Map();
    for (let i = 0; i < cameras.n; i++) {
      if (passes(i, name)) counts.set(code(name, i), (counts.get(code(name, i)) ?? 0) + 1);
    }
    for (const box of document.querySelectorAll(`input[data-facet="${name}"]`)) {
      box.parentElement.querySelector(".count").textContent = count(counts.get(Number(box.dataset.code)) ?? 0);
    }
  }
}

function drawLegend() {
  for (const box of document.querySelectorAll("input[data-facet]")) {
    const name = facetSign(box.dataset.facet, Number(box.dataset.code));
    box.parentElement.querySelector(".symbol").replaceChildren(...(name ? [sign(name)] : []));
  }
  const entries = [["ring|operator_class|0|3|4|5", "several cameras, by who runs them"]];
  if (chosen.mode === "kind") entries[0] = ["ring|kind|0|2|6|2|2", "several cameras, by kind"];
  if (cameras.bearings.some(Boolean)) {
    entries.push([`wedge|${chosen.mode}|1|50`, "direction recorded (not how far it sees)"]);
  }
  if (cameras.rounded.some(Boolean)) {
    entries.push([`mark|${chosen.mode}|1|2|1`, "private, position rounded to about 100 m"]);
  }
  if (boundary) entries.push(["edge", words.edge]);
  byId("legend").replaceChildren(...entries.map(([name, meaning]) =>
    element("li", {}, sign(name), element("span", { textContent: meaning }))));
}

function clearFilters() {
  for (const name of FACETS) chosen.off[name].clear();
  chosen.search = "";
  byId("search").value = "";
  for (const box of document.querySelectorAll("input[data-facet]")) box.checked = true;
  changed();
}

function startFilters() {
  byId("facets").replaceChildren(...FACETS.map(facet));
  drawLegend();
  let waiting = 0;
  byId("search").addEventListener("input", (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      chosen.search = event.target.value.trim().toLowerCase();
      changed();
    }, 150);
  });
  byId("clear").addEventListener("click", clearFilters);
  for (const radio of document.querySelectorAll('input[name="mode"]')) {
    radio.addEventListener("change", () => {
      chosen.mode = radio.value;
      drawLegend();
      if (map) recolour();
    });
  }
  listeners.push((rows) => {
    countFacets();
    byId("status").textContent = rows.length === cameras.n
      ? `All ${count(cameras.n)} cameras shown`
      : `${count(rows.length)} of ${count(cameras.n)} cameras shown`;
    byId("clear").disabled = rows.length === cameras.n && !chosen.search;
  });
  document.querySelector(".filter-box").open = window.matchMedia("(min-width: 48rem)").matches;
  document.querySelector(".controls").hidden = false;
}
