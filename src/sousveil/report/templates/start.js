// The figures stand before this runs, and are painted before the map, which takes longest, is begun.

startFilters();
requestAnimationFrame(() => setTimeout(() => {
  startMap();
  byId("reset").hidden = !map;
  startTable();
  changed();
}));
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  drawLegend();
  map?.setStyle(style(), { diff: false });
});
window.sousveil = { get map() { return map; } };
