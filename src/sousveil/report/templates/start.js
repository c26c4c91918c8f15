// The figures are painted first, then the map, which takes longest, is begun; filters and list follow
// while its worker reads the cameras.

const later = (work) => setTimeout(work);
requestAnimationFrame(() => later(() => {
  startMap();
  later(() => {
    startFilters();
    byId("reset").hidden = !map;
    startTable();
    changed();
  });
}));
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  colours.clear();
  drawLegend();
  map?.setStyle(style(), { diff: false });
});
window.sousveil = { get map() { return map; } };
