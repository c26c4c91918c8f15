// Signs drawn on canvas: the map needs no server for pictures or letters, and the legend uses the same.

const SHAPES = ["circle", "circle", "square", "triangle", "diamond", "hexagon", "cross"];
const SIDES = { square: [4, Math.PI / 4], triangle: [3, -Math.PI / 2], diamond: [4, 0], hexagon: [6, 0] };
const SCALE = Math.min(3, Math.max(2, Math.ceil(window.devicePixelRatio || 1)));
const LABEL_FONT = '500 11.5px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif';
const OWNER_COLOURS = ["--owner-unknown", "--owner-public", "--owner-private"];

const colours = new Map(); // as the style has them, until light turns to dark

function css(name) {
  if (!colours.has(name)) {
    colours.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  }
  return colours.get(name);
}

function colour(mode, category) {
  return css(mode === "kind" ? `--kind-${category}` : OWNER_COLOURS[category]);
}

// A canvas of its own for each sign of the legend; the map reads its hundreds off one and the same.
const newPen = () => document.createElement("canvas").getContext("2d", { willReadFrequently: true });
let sharedPen = null;
let sharing = false;

function canvas(width, height, draw) {
  const pen = sharing ? (sharedPen ??= newPen()) : newPen();
  pen.canvas.width = Math.ceil(width * SCALE); // which also clears it, and sets the pen back
  pen.canvas.height = Math.ceil(height * SCALE);
  pen.scale(SCALE, SCALE);
  draw(pen);
  return pen.canvas;
}

function pixels(name) {
  sharing = true;
  const drawn = draw(name);
  sharing = false;
  return drawn && sharedPen.getImageData(0, 0, drawn.width, drawn.height);
}

function outline(pen, shape, x, y, radius) {
  pen.beginPath();
  if (shape === "circle") {
    pen.arc(x, y, radius, 0, 2 * Math.PI);
  } else if (shape === "cross") {
    const arm = radius * 0.42;
    const steps = [[-arm, -radius], [arm, -radius], [arm, -arm], [radius, -arm], [radius, arm], [arm, arm],
      [arm, radius], [-arm, radius], [-arm, arm], [-radius, arm], [-radius, -arm], [-arm, -arm]];
    for (const [dx, dy] of steps) pen.lineTo(x + dx, y + dy);
  } else {
    const [sides, turn] = SIDES[shape];
    const reach = radius * (shape === "triangle" ? 1.3 : 1.15);
    const drop = shape === "triangle" ? radius * 0.2 : 0;
    for (let k = 0; k < sides; k++) {
      const angle = turn + (2 * Math.PI * k) / sides;
      pen.lineTo(x + reach * Math.cos(angle), y + drop + reach * Math.sin(angle));
    }
  }
  pen.closePath();
}

// One camera: its shape is the kind; its fill tells the owner even without colour.
function mark(mode, kind, owner, rounded) {
  return canvas(26, 26, (pen) => {
    const fill = mode === "none" ? css("--muted") : colour(mode, mode === "kind" ? kind : owner);
    const hollow = mode === "operator_class" && owner === 0;
    if (rounded) {
      pen.setLineDash([2.5, 2.5]);
      pen.lineWidth = 1.4;
      pen.strokeStyle = fill;
      outline(pen, "circle", 13, 13, 11.5);
      pen.stroke();
      pen.setLineDash([]);
    }
    outline(pen, SHAPES[kind], 13, 13, 7);
    pen.lineJoin = "round";
    pen.lineWidth = hollow ? 5.4 : 3.4;
    pen.strokeStyle = css("--map-rim");
    pen.stroke();
    pen.fillStyle = hollow ? css("--map-rim") : fill;
    pen.fill();
    if (hollow) {
      pen.lineWidth = 2.6;
      pen.strokeStyle = fill;
      pen.stroke();
    } else if (mode === "operator_class" && owner === 2) {
      outline(pen, "circle", 13, 13, 2.3);
      pen.fillStyle = css("--map-rim");
      pen.fill();
    }
  });
}

// A group of cameras: a ring in parts by category around their number.
function ring(mode, counts, rounded) {
  const total = counts.reduce((sum, n) => sum + n, 0);
  const radius = 12 + 3.4 * Math.log10(Math.max(total, 1));
  const size = 2 * (radius + 5);
  return canvas(size, size, (pen) => {
    const middle = size / 2;
    outline(pen, "circle", middle, middle, radius + 1.4);
    pen.fillStyle = css("--map-rim");
    pen.fill();
    let from = -Math.PI / 2;
    counts.forEach((n, category) => {
      if (!n) return;
      const to = from + (2 * Math.PI * n) / total;
      pen.beginPath();
      pen.arc(middle, middle, radius - 2, from, to);
      pen.lineWidth = 4;
      pen.strokeStyle = colour(mode, category);
      pen.stroke();
      from = to;
    });
    if (rounded) {
      pen.setLineDash([2.5, 2.5]);
      pen.lineWidth = 1.4;
      pen.strokeStyle = css("--muted");
      outline(pen, "circle", middle, middle, radius + 3.6);
      pen.stroke();
    }
    pen.fillStyle = css("--ink");
    pen.font = `600 ${total < 1000 ? 11.5 : 10.5}px ${css("--sans")}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(total < 10000 ? String(total) : `${Math.round(total / 1000)}k`, middle, middle + 0.5);
  });
}

// A direction: it points north and the map turns it; it fades out, for nobody knows how far.
function wedge(mode, category, angle) {
  const reach = 34;
  return canvas(2 * reach, 2 * reach, (pen) => {
    const half = (angle * Math.PI) / 360;
    pen.fillStyle = colour(mode, category);
    pen.beginPath();
    pen.moveTo(reach, reach);
    pen.arc(reach, reach, reach, -Math.PI / 2 - half, -Math.PI / 2 + half);
    pen.closePath();
    pen.fill();
    const fade = pen.createRadialGradient(reach, reach, 4, reach, reach, reach);
    fade.addColorStop(0, "rgb(0 0 0 / 85%)");
    fade.addColorStop(1, "rgb(0 0 0 / 8%)");
    pen.globalCompositeOperation = "destination-in";
    pen.fillStyle = fade;
    pen.fillRect(0, 0, 2 * reach, 2 * reach);
  });
}

function label(name) {
  const shown = name.length > 48 ? `${name.slice(0, 47)}…` : name;
  sharedPen ??= newPen();
  sharedPen.font = LABEL_FONT;
  const width = Math.ceil(sharedPen.measureText(shown).width) + 6;
  return canvas(width, 18, (pen) => {
    pen.font = LABEL_FONT;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.lineJoin = "round";
    pen.lineWidth = 3;
    pen.strokeStyle = css("--map-halo");
    pen.strokeText(shown, width / 2, 9);
    pen.fillStyle = css("--map-label");
    pen.fillText(shown, width / 2, 9);
  });
}

function edge() {
  return canvas(34, 34, (pen) => {
    pen.setLineDash([6, 4]);
    pen.lineWidth = 1.6;
    pen.strokeStyle = css("--map-boundary");
    pen.beginPath();
    pen.moveTo(2, 17);
    pen.lineTo(32, 17);
    pen.stroke();
  });
}

// The name of a sign says what to draw: "mark|mode|kind|owner|rounded" and so on.
function draw(name) {
  const [what, ...rest] = name.split("|");
  if (what === "label") return label(rest.join("|"));
  if (what === "edge") return edge();
  const [mode, ...numbers] = rest;
  const values = numbers.map(Number);
  if (what === "mark") return mark(mode, ...values);
  if (what === "wedge") return wedge(mode, ...values);
  if (what === "ring") return ring(mode, values.slice(1), values[0]);
  return null;
}

function sign(name) {
  const drawn = draw(name);
  drawn.className = "sign";
  drawn.setAttribute("aria-hidden", "true");
  return drawn;
}
