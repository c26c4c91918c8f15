// The figures are painted first, then the map, which takes longest, is begun; filters and list are
// filled while its worker reads the cameras.

const later = (work) => setTimeout(work);

function startRest() {
  startFilters();
  byId("reset").hidden = !map;
  startTable();
  changed();
}

requestAnimationFrame(() => later(() => {
  startMap();
  if (map) map.once("style.load", () => later(startRest));
  else startRest();
}));
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  colours.clear();
  drawLegend();
  map?.setStyle(style(), { diff: false });
});
window.sousveil = { get map() { return map; } };
