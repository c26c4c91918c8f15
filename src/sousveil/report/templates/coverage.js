// The map of what is seen: bands by level, opaque as likely; background from tiles in this page.

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("cover-data").textContent);
const { levels, colours, shown, stretches, cameras, view, tiles } = data;
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const tilePlaces = new Map();
let figure = "could";
let map = null;

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

const byZoom = (near, far) => ["interpolate", ["exponential", 1.6], ["zoom"], 12, far, 18, near];

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
    ...backgroundLayers(), ...bandLayers(levels, (level) => colours[level], figure),
    { id: "cameras", type: "circle", source: "cameras",
      paint: { "circle-radius": byZoom(5, 1.6), "circle-color": css("--ink"),
        "circle-stroke-width": 1, "circle-stroke-color": css("--map-rim") } },
  ] };
}

function start() {
  readTiles();
  maplibregl.addProtocol("background", tile);
  const [west, south, east, north] = view;
  const frame = byId("cover-map");
  frame.classList.add("waiting");
  frame.hidden = false;
  try {
    map = new maplibregl.Map({ container: "cover-map", style: style(), bounds: [[west, south], [east, north]],
      fitBoundsOptions: { padding: 24, maxZoom: 17 }, maxZoom: 20, attributionControl: false,
      dragRotate: false, pitchWithRotate: false, touchPitch: false, cooperativeGestures: true, fadeDuration: 0 });
  } catch {
    frame.hidden = true;
    return;
  }
  map.once("load", () => {
    frame.classList.remove("waiting");
    byId("cover-controls").hidden = false;
    byId("cover-still").hidden = true;
  });
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibregl.ScaleControl({ maxWidth: 120 }), "bottom-left");
  map.getCanvas().setAttribute("aria-label", "Map of streets that cameras see; the table below holds the same.");
  const layers = levels.map(bandId);
  map.on("click", ({ point: { x, y }, lngLat }) => {
    const found = map.queryRenderedFeatures([[x - 5, y - 5], [x + 5, y + 5]], { layers });
    if (!found.length) return;
    new maplibregl.Popup({ maxWidth: "18rem" }).setLngLat(lngLat)
      .setDOMContent(describeStretch(found[0].properties, levels, figure, shown[figure])).addTo(map);
  });
  byId("cover-figure").addEventListener("change", (event) => {
    figure = event.target.value;
    showFigure(map, levels, figure);
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    map.setStyle(style(), { diff: false });
  });
  window.sousveil = { get map() { return map; } };
}

start();
