// The map: background from tiles inside this page, cameras on top, all signs drawn here.

const CLUSTER_ZOOMS = [11, 16]; // the last zoom with clusters lies between these
const CLUSTER_RADIUS_PX = 46;
const CROWD = 3; // places in a patch of that size, on average, that are still easy to tell apart
const CLOSE_ZOOM = 17;
const USUAL_WEDGE_DEG = 50;
let lastClusterZoom = CLUSTER_ZOOMS[0];
const NOTHING = { type: "FeatureCollection", features: [] };
let map = null;
let popup = null;
let groups = new Map(); // first camera at a place -> all that are shown there
let placed = { rows: [], cameras: NOTHING, bearings: null };

async function tile({ url }) {
  const [z, x, y] = url.slice("background://".length).split("/").map(Number);
  const found = tilePlaces.get(`${z}/${x}/${y}`);
  if (!found) return { data: new ArrayBuffer(0) };
  const encoded = tileText.slice(found[0], found[0] + found[1]);
  const decoded = atob(encoded);
  const bytes = new Uint8Array(decoded.length);
  for (let k = 0; k < decoded.length; k++) bytes[k] = decoded.charCodeAt(k);
  const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return { data: await new Response(inflated).arrayBuffer() };
}

const tilePlaces = new Map();
let tileText = "";

function readTiles() {
  if (!tiles) return;
  tileText = byId("tiles-data").textContent;
  for (let k = 0; k < tiles.places.length; k += 5) {
    const [z, x, y, offset, length] = tiles.places.slice(k, k + 5);
    tilePlaces.set(`${z}/${x}/${y}`, [offset, length]);
  }
}

const point = (i, properties) => ({
  type: "Feature", properties, geometry: { type: "Point", coordinates: lonLat(i) },
});

const collection = (features) => ({ type: "FeatureCollection", features });

// Cameras at exactly one place become one feature, so that none hides another.
function place(rows) {
  groups = new Map();
  const columns = new Map(); // longitude -> latitude -> the group there
  for (const i of rows) {
    let column = columns.get(cameras.lon[i]);
    if (!column) columns.set(cameras.lon[i], column = new Map());
    const group = column.get(cameras.lat[i]);
    if (group) {
      group.push(i);
    } else {
      groups.set(i, [i]);
      column.set(cameras.lat[i], groups.get(i));
    }
  }
  placed = {
    rows,
    cameras: collection([...groups].map(([i, group]) => point(i, groupProperties(i, group)))),
    bearings: null,
  };
}

// Directions are drawn only close by: until then the worker is spared them.
function bearingsFor(zoom) {
  if (zoom < lastClusterZoom + 1 && !placed.bearings) return NOTHING;
  placed.bearings ??= collection(placed.rows.flatMap((i) => (cameras.rounded[i] ? [] : (cameras.bearings[i] || []).map((b) =>
    point(i, { b, k: code("kind", i), o: code("operator_class", i), f: wedgeAngle(i) })))));
  return placed.bearings;
}

function showBearings() {
  if (placed.bearings || map.getZoom() < lastClusterZoom + 1) return;
  map.getSource("bearings")?.setData(bearingsFor(map.getZoom()));
}

// Clusters end at the first zoom where few places share a patch: a village shows all at once, a city late.
function findLastClusterZoom() {
  const places = [...groups.keys()].map(lonLat);
  const squeeze = Math.cos((places[0][1] * Math.PI) / 180);
  let zoom = CLUSTER_ZOOMS[0];
  for (; zoom < CLUSTER_ZOOMS[1]; zoom++) {
    const across = (512 * 2 ** (zoom + 1)) / CLUSTER_RADIUS_PX; // patches around the world
    const patches = new Set(places.map(([lon, lat]) =>
      Math.floor((lon / 360) * across) * 2 ** 26 + Math.floor((lat / 360 / squeeze) * across)));
    if (places.length / patches.size <= CROWD) break;
  }
  return zoom;
}

function groupProperties(i, group) {
  const properties = { i, n: group.length, r: 0, k: code("kind", i), o: code("operator_class", i) };
  for (const name of COUNTED) properties[name] = 0;
  for (const member of group) {
    properties.r += cameras.rounded[member];
    properties[`k${code("kind", member)}`] += 1;
    properties[`o${code("operator_class", member)}`] += 1;
  }
  return properties;
}

// What a group counts: the categories that occur, as k0, k1, ... and o0, o1, ...
const CATEGORIES = { k: "kind", o: "operator_class" };
const COUNTED = Object.entries(CATEGORIES).flatMap(([letter, name]) =>
  [...new Set(cameras.codes[name])].map((category) => letter + category));

function wedgeAngle(i) {
  const known = quantity("hfov_deg", i);
  return known === null ? USUAL_WEDGE_DEG : Math.min(360, Math.max(10, Math.round(known / 10) * 10));
}

function images() {
  const mode = chosen.mode;
  const letter = mode === "kind" ? "k" : "o";
  const parts = words.codes[mode].flatMap((_, category) =>
    COUNTED.includes(letter + category) ? ["|", ["get", letter + category]] : ["|0"]);
  const named = (...pieces) => ["concat", ...pieces.map((p) => (Array.isArray(p) ? ["to-string", p] : p))];
  const rounded = ["case", ["all", ["!", ["has", "point_count"]], ["==", ["get", "r"], ["get", "n"]]], "1", "0"];
  return {
    marks: named(`mark|${mode}|`, ["get", "k"], "|", ["get", "o"], "|", ["get", "r"]),
    rings: named(`ring|${mode}|`, rounded, ...parts),
    wedges: named(`wedge|${mode}|`, ["get", letter], "|", ["get", "f"]),
  };
}

const byZoom = (...stops) => ["interpolate", ["exponential", 1.6], ["zoom"], ...stops];
const ofClass = (...values) => ["match", ["get", "c"], 0, values[0], 1, values[1], 2, values[2], 3, values[3], values[4]];
const onTop = { "icon-allow-overlap": true, "icon-ignore-placement": true };

function streetLayers() {
  const width = (scale) => byZoom(10, ofClass(1.1 * scale, 0.6 * scale, 0.3, 0.2, 0.2),
    14, ofClass(4.2 * scale, 3 * scale, 1.9 * scale, 1 * scale, 0.7 * scale),
    18, ofClass(26 * scale, 20 * scale, 14 * scale, 7 * scale, 3 * scale));
  const road = ["<", ["get", "c"], 4];
  const base = { type: "line", source: "background", "source-layer": "streets" };
  const layout = { "line-cap": "round", "line-join": "round", "line-sort-key": ["-", 0, ["get", "c"]] };
  return [
    { ...base, id: "paths", filter: ["==", ["get", "c"], 4], minzoom: 13.5,
      paint: { "line-color": css("--map-path"), "line-width": byZoom(14, 0.6, 18, 2), "line-dasharray": [2, 1.5] } },
    { ...base, id: "casings", filter: road, layout,
      paint: { "line-color": css("--map-street-edge"), "line-width": width(1.25) } },
    { ...base, id: "streets", filter: road, layout, minzoom: 11,
      paint: { "line-color": ofClass(css("--map-major"), css("--map-major"), ...Array(3).fill(css("--map-street"))),
        "line-width": width(1) } },
  ];
}

function backgroundLayers() {
  if (!tiles) return [];
  return [
    { id: "buildings", type: "fill", source: "background", "source-layer": "buildings", minzoom: 13,
      paint: { "fill-color": css("--map-building"), "fill-outline-color": css("--map-building-edge") } },
    ...streetLayers(),
    { id: "names", type: "symbol", source: "background", "source-layer": "labels",
      filter: ["<=", ["get", "z"], ["zoom"]],
      layout: { "icon-image": ["concat", "label|", ["get", "n"]], "icon-rotate": ["get", "a"],
        "icon-rotation-alignment": "map", "symbol-sort-key": ["get", "c"], "icon-padding": 6 } },
  ];
}

function cameraLayers() {
  const image = images();
  const single = ["all", ["!", ["has", "point_count"]], ["==", ["get", "n"], 1]];
  const size = ["interpolate", ["linear"], ["zoom"], 11, 0.72, 16, 0.86, 18, 1.1];
  return [
    { id: "wedges", type: "symbol", source: "bearings", minzoom: lastClusterZoom + 1,
      layout: { ...onTop, "icon-image": image.wedges, "icon-rotate": ["get", "b"], "icon-rotation-alignment": "map",
        "icon-size": size } },
    { id: "marks", type: "symbol", source: "cameras", filter: single,
      layout: { ...onTop, "icon-image": image.marks, "icon-size": size } },
    { id: "rings", type: "symbol", source: "cameras", filter: ["!", single],
      // At size 1 MapLibre does not smooth, and a ring between two pixels is torn.
      layout: { "icon-allow-overlap": true, "icon-image": image.rings, "icon-size": 0.999, "symbol-sort-key": ["get", "n"] } },
    { id: "chosen", type: "circle", source: "chosen",
      paint: { "circle-radius": 15, "circle-color": "transparent", "circle-stroke-width": 3,
        "circle-stroke-color": css("--focus") } },
  ];
}

function style(zoom = map.getZoom()) {
  const sources = {
    bearings: { type: "geojson", data: bearingsFor(zoom) },
    cameras: { type: "geojson", data: placed.cameras, cluster: true, clusterRadius: CLUSTER_RADIUS_PX,
      clusterMaxZoom: lastClusterZoom, maxzoom: lastClusterZoom + 3,
      clusterProperties: Object.fromEntries(["n", "r", ...COUNTED].map((name) => [name, ["+", ["get", name]]])) },
    chosen: { type: "geojson", data: NOTHING },
    boundary: { type: "geojson", data: boundary ?? NOTHING },
  };
  if (tiles) {
    sources.background = { type: "vector", tiles: ["background://{z}/{x}/{y}"], minzoom: tiles.min_zoom,
      maxzoom: tiles.max_zoom, bounds: tiles.bounds };
  }
  return {
    version: 8,
    sources,
    layers: [
      { id: "land", type: "background", paint: { "background-color": css("--map-land") } },
      ...backgroundLayers(),
      { id: "boundary", type: "line", source: "boundary",
        paint: { "line-color": css("--map-boundary"), "line-width": 1.6, "line-dasharray": [4, 3] } },
      ...cameraLayers(),
    ],
  };
}

function recolour() {
  const image = images();
  map.setLayoutProperty("wedges", "icon-image", image.wedges);
  map.setLayoutProperty("marks", "icon-image", image.marks);
  map.setLayoutProperty("rings", "icon-image", image.rings);
}

function choose(i) {
  map.getSource("chosen")?.setData(i === null ? NOTHING : point(i, {}));
}

function openPopup(group, { start = 0, opener = null } = {}) {
  popup?.remove();
  const content = cameraPages(group, start);
  content.setAttribute("role", "dialog");
  content.setAttribute("aria-label", "Camera");
  const opened = new maplibregl.Popup({ anchor: "bottom", maxWidth: "min(21rem, 78vw)", offset: 14 })
    .setLngLat(lonLat(group[0])).setDOMContent(content).addTo(map);
  popup = opened;
  choose(group[0]);
  content.addEventListener("keydown", closeOnEscape);
  opened.getElement().addEventListener("keydown", closeOnEscape);
  opened.on("close", () => {
    if (popup !== opened) return;
    popup = null;
    choose(null);
    // Where the focus was in the popup it would be lost; elsewhere, as on a filter, it stays.
    if (document.activeElement === document.body) {
      (opener?.isConnected ? opener : map.getCanvas()).focus({ preventScroll: !opener });
    }
  });
  content.querySelector("button, .body").focus({ preventScroll: true });
  bringIntoView(opened.getElement());
}

function bringIntoView(shown) {
  const [inner, outer] = [shown.getBoundingClientRect(), map.getContainer().getBoundingClientRect()];
  const margin = 10;
  const past = (low, high) => Math.min(0, low - margin) + Math.max(0, high + margin);
  const x = past(inner.left - outer.left, inner.right - outer.right);
  const y = past(inner.top - outer.top, inner.bottom - outer.bottom);
  if (x || y) map.panBy([x, y]);
}

function closeOnEscape(event) {
  if (event.key === "Escape" && popup) {
    event.stopPropagation();
    popup.remove();
  }
}

function showOnMap(i, opener) {
  const group = [...groups.values()].find((members) => members.includes(i)) ?? [i];
  map.jumpTo({ center: lonLat(i), zoom: Math.max(map.getZoom(), CLOSE_ZOOM) });
  byId("map").scrollIntoView({ block: "center" });
  openPopup(group, { start: group.indexOf(i), opener });
}

async function pick(feature) {
  const { i, point_count: clustered, cluster_id: cluster } = feature.properties;
  if (!clustered) {
    openPopup(groups.get(i));
    return;
  }
  const zoom = await map.getSource("cameras").getClusterExpansionZoom(cluster);
  map.easeTo({ center: feature.geometry.coordinates, zoom: Math.max(zoom, map.getZoom() + 1) });
}

function nearest(x, y, reach) {
  const box = [[x - reach, y - reach], [x + reach, y + reach]];
  const found = map.queryRenderedFeatures(box, { layers: ["marks", "rings"] });
  const distance = (feature) => {
    const at = map.project(feature.geometry.coordinates);
    return Math.hypot(at.x - x, at.y - y);
  };
  return found.sort((a, b) => distance(a) - distance(b))[0];
}

function startKeys() {
  const surface = map.getCanvas();
  surface.setAttribute("aria-label",
    "Map of the cameras. Arrow keys move it, plus and minus zoom, Enter opens the camera nearest to the centre. " +
    "The list below holds the same cameras.");
  surface.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const { x, y } = map.project(map.getCenter());
    const found = nearest(x, y, Math.max(x, y));
    if (found) pick(found);
  });
}

function whole(options = {}) {
  const [west, south, east, north] = view;
  map.fitBounds([[west, south], [east, north]], { padding: 36, maxZoom: CLOSE_ZOOM, ...options });
}

function creditControl() {
  return {
    onAdd: () => element("p", { className: "maplibregl-ctrl credit" },
      outsideLink("https://www.openstreetmap.org/copyright", credit)),
    onRemove: () => {},
  };
}

// Returns null where the browser cannot draw it: the still picture then stays.
function makeMap() {
  const [west, south, east, north] = view;
  const frame = byId("map");
  const still = document.querySelector(".still-frame");
  frame.classList.add("waiting");
  frame.hidden = false;
  try {
    const made = new maplibregl.Map({
      container: frame, style: style(0), bounds: [[west, south], [east, north]],
      fitBoundsOptions: { padding: 36, maxZoom: CLOSE_ZOOM }, minZoom: Math.max(0, (tiles?.min_zoom ?? 3) - 1),
      maxZoom: 20, attributionControl: false, dragRotate: false, pitchWithRotate: false, touchPitch: false,
      cooperativeGestures: true, fadeDuration: 0, validateStyle: false,
    });
    made.once("load", () => {
      frame.classList.remove("waiting");
      still.hidden = true;
    });
    return made;
  } catch {
    frame.hidden = true;
    return null;
  }
}

function startMap() {
  readTiles();
  place(selected());
  placed.all = true;
  lastClusterZoom = findLastClusterZoom();
  maplibregl.addProtocol("background", tile);
  map = makeMap();
  if (!map) return;
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibregl.FullscreenControl(), "top-right");
  map.addControl(new maplibregl.ScaleControl({ maxWidth: 120 }), "bottom-left");
  map.addControl(creditControl(), "bottom-right");
  map.on("styleimagemissing", addSign);
  map.on("style.load", showBearings);
  map.on("zoom", showBearings);
  map.on("click", ({ point: { x, y } }) => {
    const found = nearest(x, y, 8);
    if (found) pick(found);
  });
  map.on("mousemove", ({ point: { x, y } }) => {
    map.getCanvas().style.cursor = nearest(x, y, 4) ? "pointer" : "";
  });
  startKeys();
  listeners.push(showChosen);
  byId("reset").addEventListener("click", () => whole());
}

function addSign({ id }) {
  if (map.hasImage(id)) return;
  const drawn = pixels(id);
  if (drawn) map.addImage(id, drawn, { pixelRatio: SCALE });
}

function showChosen(rows) {
  const all = rows.length === cameras.n;
  if (all && placed.all) return;
  place(rows);
  placed.all = all;
  popup?.remove();
  map.getSource("cameras")?.setData(placed.cameras);
  map.getSource("bearings")?.setData(bearingsFor(map.getZoom()));
}
