// What is seen of the streets as bands: a colour for each level, opaque as likely.

const chance = (figure, level) => ["coalesce", ["get", `${figure}_${level}`], 0];
const bandFilter = (figure, level) => [">", chance(figure, level), 0];
const bandOpacity = (figure, level) => ["*", 0.95, ["sqrt", ["/", chance(figure, level), 100]]];
const bandId = (level) => `band-${level}`;

// The lower the level the wider the band, so that each shows at the edges of the next.
function bandLayers(levels, colourOf, figure) {
  const width = (near, far) => ["interpolate", ["exponential", 1.6], ["zoom"], 12, far, 18, near];
  return levels.map((level, i) => ({
    id: bandId(level), type: "line", source: "stretches", filter: bandFilter(figure, level),
    paint: { "line-color": colourOf(level), "line-opacity": bandOpacity(figure, level),
      "line-width": width(16 - 3 * i, 3.2 - 0.6 * i) },
  }));
}

function showFigure(map, levels, figure) {
  for (const level of levels) {
    map.setFilter(bandId(level), bandFilter(figure, level));
    map.setPaintProperty(bandId(level), "line-opacity", bandOpacity(figure, level));
  }
}

// Names come from open data: they enter the page through textContent alone.
function describeStretch(properties, levels, figure, title) {
  const made = (tag, text, ...children) => {
    const node = document.createElement(tag);
    if (text !== null) node.textContent = text;
    node.append(...children);
    return node;
  };
  const rows = levels.map((level) => made("tr", null, made("th", level),
    made("td", `${properties[`${figure}_${level}`] ?? 0}%`)));
  const whole = made("div", null, made("strong", properties.name ?? "Street without a name"),
    made("div", title), made("table", null, made("tbody", null, ...rows)));
  for (const head of whole.querySelectorAll("th")) head.scope = "row";
  whole.className = "cover-popup";
  return whole;
}
