// Layers of the map: what the cameras see of the streets, beneath the cameras.

const seen = JSON.parse(byId("stretches-data").textContent);
const bandIds = seen.levels.map(bandId);
const KEY_REACHES_PX = [6, 30, 120];
let figure = "off";

function addBands() {
  if (map.getSource("stretches")) return;
  map.addSource("stretches", { type: "geojson", data: seen.stretches });
  const beneath = ["names", "boundary"].find((id) => map.getLayer(id));
  for (const layer of bandLayers(seen.levels, (level) => css(`--seen-${level}`), figure)) {
    const visibility = figure === "off" ? "none" : "visible";
    map.addLayer({ ...layer, layout: { visibility, "line-cap": "butt", "line-join": "round" } }, beneath);
  }
}

function showLayer(chosenFigure) {
  figure = chosenFigure;
  byId("seen-legend").hidden = figure === "off";
  popup?.remove();
  if (!map.getLayer(bandIds[0])) return; // the style is still being read, and will take the figure up
  if (figure !== "off") showFigure(map, seen.levels, figure);
  for (const id of bandIds) map.setLayoutProperty(id, "visibility", figure === "off" ? "none" : "visible");
}

function stretchAt({ x, y }, reach) {
  if (figure === "off" || !map.getLayer(bandIds[0])) return null;
  const box = [[x - reach, y - reach], [x + reach, y + reach]];
  return map.queryRenderedFeatures(box, { layers: bandIds })[0] ?? null;
}

function openStretch(feature, at) {
  popup?.remove();
  const content = describeStretch(feature.properties, seen.levels, figure, seen.shown[figure]);
  content.setAttribute("role", "dialog");
  content.setAttribute("aria-label", "Stretch of street");
  const opened = new maplibregl.Popup({ anchor: "bottom", maxWidth: "min(21rem, 78vw)" })
    .setLngLat(at).setDOMContent(content).addTo(map);
  popup = opened;
  opened.getElement().addEventListener("keydown", closeOnEscape);
  opened.on("close", () => {
    if (popup === opened) popup = null;
    if (document.activeElement === document.body) map.getCanvas().focus({ preventScroll: true });
  });
  bringIntoView(opened.getElement());
}

function startLayers() {
  if (!map) return;
  map.on("style.load", addBands);
  if (map.getLayer("boundary")) addBands();
  map.on("click", ({ point: at, lngLat }) => {
    const found = nearest(at.x, at.y, 8) ? null : stretchAt(at, 5);
    if (found) openStretch(found, lngLat);
  });
  map.on("mousemove", ({ point: at }) => {
    if (stretchAt(at, 3)) map.getCanvas().style.cursor = "pointer";
  });
  const surface = map.getCanvas();
  surface.setAttribute("aria-label", `${surface.getAttribute("aria-label")} ` +
    "S tells what is seen of the street nearest to the centre; the table of streets holds the same.");
  surface.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "s" || event.ctrlKey || event.metaKey || event.altKey) return;
    const centre = map.getCenter();
    const found = KEY_REACHES_PX.map((reach) => stretchAt(map.project(centre), reach)).find(Boolean);
    if (found) openStretch(found, centre);
  });
  const select = byId("seen-figure");
  select.addEventListener("change", () => showLayer(select.value));
  showLayer(select.value); // a browser may bring back what was chosen before
  byId("seen-controls").hidden = false;
}

// After the map has been begun: start.js asked for the same turn before.
requestAnimationFrame(() => later(startLayers));
