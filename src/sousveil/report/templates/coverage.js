// The map of what is seen: bands by level, opaque as likely; background from tiles in this page.

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("cover-data").textContent);
const { levels, colours, shown, stretches, cameras, view, tiles } = data;
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const tilePlaces = new Map();
let figure = "could";
let map = null;

function element(tag, text, ...children) {
  const made = document.createElement(tag);
  if (text !== null) made.textContent = text;
  made.append(...children);
  return made;
}

function readTiles() {
  for (let k = 0; tiles && k < tiles.places.length; k += 5) {
    const [z, x, y, offset, length] = tiles.places.slice(k, k + 5);
    tilePlaces.set(`${z}/${x}/${y}`, [offset, length]);
  }
}

async function tile({ url }) {
  const found = tilePlaces.get(url.slice("background://".length));
  if (!found) return { data: new ArrayBuffer(0) };
  const encoded = byId("cover-tiles").textContent.slice(found[0], found[0] + found[1]);
  const bytes = Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0));
  const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return { data: await new Response(inflated).arrayBuffer() };
}

const chance = (level) => ["coalesce", ["get", `${figure}_${level}`], 0];
const opacity = (level) => ["*", 0.95, ["sqrt", ["/", chance(level), 100]]];
const byZoom = (near, far) => ["interpolate", ["exponential", 1.6], ["zoom"], 12, far, 18, near];

function bands() {
  return levels.map((level, i) => ({
    id: `band-${level}`, type: "line", source: "stretches", filter: [">", chance(level), 0],
    paint: { "line-color": colours[level], "line-opacity": opacity(level),
      "line-width": byZoom(16 - 3 * i, 3.2 - 0.6 * i) },
  }));
}

function backgroundLayers() {
  if (!tiles) return [];
  const streets = { type: "line", source: "background", "source-layer": "streets" };
  return [
    { id: "buildings", type: "fill", source: "background", "source-layer": "buildings", minzoom: 13,
      paint: { "fill-color": css("--map-building"), "fill-outline-color": css("--map-building-edge") } },
    { ...streets, id: "paths", filter: ["==", ["get", "c"], 4], minzoom: 14,
      paint: { "line-color": css("--map-path"), "line-width": byZoom(2.5, 0.4) } },
    { ...streets, id: "streets", filter: ["<", ["get", "c"], 4],
      paint: { "line-color": css("--map-street"), "line-width": byZoom(14, 1.2) } },
  ];
}

function style() {
  const points = cameras.map((at) => ({ type: "Feature", properties: {}, geometry: { type: "Point", coordinates: at } }));
  const sources = {
    stretches: { type: "geojson", data: stretches },
    cameras: { type: "geojson", data: { type: "FeatureCollection", features: points } },
  };
  if (tiles) {
    sources.background = { type: "vector", tiles: ["background://{z}/{x}/{y}"], minzoom: tiles.min_zoom,
      maxzoom: tiles.max_zoom, bounds: tiles.bounds };
  }
  return { version: 8, sources, layers: [
    { id: "land", type: "background", paint: { "background-color": css("--map-land") } },
    ...backgroundLayers(), ...bands(),
    { id: "cameras", type: "circle", source: "cameras",
      paint: { "circle-radius": byZoom(5, 1.6), "circle-color": css("--ink"),
        "circle-stroke-width": 1, "circle-stroke-color": css("--map-rim") } },
  ] };
}

function recolour() {
  for (const level of levels) {
    map.setFilter(`band-${level}`, [">", chance(level), 0]);
    map.setPaintProperty(`band-${level}`, "line-opacity", opacity(level));
  }
}

function describe(properties) {
  const rows = levels.map((level) => element("tr", null, element("th", level),
    element("td", `${properties[`${figure}_${level}`] ?? 0} %`)));
  const made = element("div", null, element("strong", properties.name ?? "Street without a name"),
    element("div", shown[figure]), element("table", null, ...rows));
  made.className = "cover-popup";
  return made;
}

function start() {
  readTiles();
  maplibregl.addProtocol("background", tile);
  const [west, south, east, north] = view;
  try {
    map = new maplibregl.Map({ container: "cover-map", style: style(), bounds: [[west, south], [east, north]],
      fitBoundsOptions: { padding: 24, maxZoom: 17 }, maxZoom: 20, attributionControl: false,
      dragRotate: false, pitchWithRotate: false, touchPitch: false, cooperativeGestures: true, fadeDuration: 0 });
  } catch {
    return;
  }
  byId("cover-map").hidden = false;
  byId("cover-controls").hidden = false;
  byId("cover-still").hidden = true;
  map.resize();
  map.fitBounds([[west, south], [east, north]], { padding: 24, maxZoom: 17, animate: false });
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibregl.ScaleControl({ maxWidth: 120 }), "bottom-left");
  map.getCanvas().setAttribute("aria-label", "Map of streets that cameras see; the table below holds the same.");
  const layers = levels.map((level) => `band-${level}`);
  map.on("click", ({ point: { x, y }, lngLat }) => {
    const found = map.queryRenderedFeatures([[x - 5, y - 5], [x + 5, y + 5]], { layers });
    if (!found.length) return;
    new maplibregl.Popup({ maxWidth: "18rem" }).setLngLat(lngLat)
      .setDOMContent(describe(found[0].properties)).addTo(map);
  });
  byId("cover-figure").addEventListener("change", (event) => {
    figure = event.target.value;
    recolour();
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    map.setStyle(style(), { diff: false });
  });
  window.sousveil = { get map() { return map; } };
}

start();
