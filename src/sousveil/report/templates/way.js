const data = JSON.parse(document.getElementById("way-data").textContent);
const svg = document.getElementById("way-map");
const here = document.getElementById("here");
const cursor = document.getElementById("cursor");
const line = document.getElementById("timeline");
const slider = document.getElementById("moment");
const told = document.getElementById("told");
const whole = svg.dataset.box.split(" ").map(Number);
const total = Math.max(data.end[data.end.length - 1], 1);
let box = [...whole];

const percent = (v) => (v > 0 && v < 1 ? "under 1%" : `${Math.round(v)}%`);

function clock(seconds) {
  if (!data.began) return `minute ${Math.floor(seconds / 60)}`;
  // The clock of the place, not of the reader: the offset stands in the text.
  const [, date, offset] = data.began.match(/^(.*?)(Z|[+-]\d\d:\d\d)?$/);
  const moment = new Date(`${date}Z`);
  moment.setUTCSeconds(moment.getUTCSeconds() + Math.round(seconds));
  return moment.toISOString().slice(11, 19);
}

function show(i) {
  here.setAttribute("cx", data.x[i]);
  here.setAttribute("cy", data.y[i]);
  const middle = (data.start[i] + data.end[i]) / 2;
  const at = (1000 * middle) / total;
  cursor.setAttribute("d", `M${at},0V220`);
  const around = data.passes.filter(([from, to]) => from <= middle && middle <= to).length;
  const street = data.names[data.street[i]] || "away from named streets";
  told.textContent =
    `${clock(data.start[i])}, ${street}: seen ${percent(data.seen[i])}, could be seen ` +
    `${percent(data.could[i])}, identified ${percent(data.identify[i])}; ` +
    (around === 1 ? "1 camera in reach" : `${around} cameras in reach`);
  slider.setAttribute("aria-valuetext", told.textContent);
}

function nearest(seconds) {
  let low = 0;
  let high = data.start.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (data.start[middle] <= seconds) low = middle; else high = middle - 1;
  }
  return low;
}

function choose(i) {
  slider.value = String(i);
  show(i);
}

function look() {
  svg.setAttribute("viewBox", box.map((v) => v.toFixed(1)).join(" "));
}

function zoom(factor, at) {
  const width = Math.min(whole[2], Math.max(whole[2] / 40, box[2] * factor));
  const height = (width * whole[3]) / whole[2];
  const x = at ? at[0] : box[0] + box[2] / 2;
  const y = at ? at[1] : box[1] + box[3] / 2;
  const keep = (v, size, room) => Math.min(Math.max(v, 0), room - size);
  box = [keep(x - width / 2, width, whole[2]), keep(y - height / 2, height, whole[3]), width, height];
  look();
}

const current = () => [data.x[slider.value], data.y[slider.value]];
slider.addEventListener("input", () => {
  show(Number(slider.value));
  if (box[2] < whole[2]) zoom(1, current());
});
line.addEventListener("pointermove", (event) => {
  const area = line.getBoundingClientRect();
  choose(nearest((total * (event.clientX - area.left)) / area.width));
});
document.getElementById("closer").addEventListener("click", () => zoom(0.5, current()));
document.getElementById("farther").addEventListener("click", () => zoom(2, current()));
document.getElementById("whole").addEventListener("click", () => { box = [...whole]; look(); });

let held = null;
svg.addEventListener("pointerdown", (event) => {
  if (event.pointerType === "mouse") held = [event.clientX, event.clientY, ...box];
});
window.addEventListener("pointerup", () => { held = null; });
window.addEventListener("pointermove", (event) => {
  if (!held) return;
  const scale = box[2] / svg.getBoundingClientRect().width;
  const keep = (v, size, room) => Math.min(Math.max(v, 0), room - size);
  box[0] = keep(held[2] - (event.clientX - held[0]) * scale, box[2], whole[2]);
  box[1] = keep(held[3] - (event.clientY - held[1]) * scale, box[3], whole[3]);
  look();
});
show(0);
