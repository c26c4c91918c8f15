// All that is known of one camera, in words; the same in the map's popup and in the dialog.

// What the last date of a camera is: the date of a whole list is no look at the camera.
const RECORDS = { check: "Last check", edit: "Last edit", list: "On the list of" };

function lastRecord(i) {
  const on = day(text("last_seen", i));
  const what = { check: "checked", edit: "edited", list: "on the list of" }[text("seen_by", i)];
  return on && what ? `${what} ${on}` : on;
}

function rows(i) {
  const unit = (value, suffix) => (value === null ? null : `${value} ${suffix}`);
  const devices = quantity("count", i);
  return [
    ["Operator", text("operator", i)],
    ["Setting", code("setting", i) ? word("setting", i) : null],
    ["Zone", plain(text("zone", i))],
    ["Direction", directions(i)],
    ["Field of view", unit(quantity("hfov_deg", i), "degrees")],
    ["Height", unit(quantity("height_m", i), "m")],
    ["Mount", plain(text("mount", i))],
    ["Housing", code("housing", i) ? word("housing", i) : null],
    ["Devices", devices > 1 ? String(devices) : undefined],
    ["Purpose", plain(text("purpose", i))],
    ["Capabilities", text("capabilities", i)],
    ["Resolution", unit(quantity("pixels_h", i), "pixels across")],
    ["Pictures kept", unit(quantity("retention_days", i), "days")],
    ["Installed", day(text("installed", i))],
    [RECORDS[text("seen_by", i)] ?? "Last check or edit", day(text("last_seen", i))],
    ["Source", text("sources", i)],
    ["Camera ID", cameras.id[i]],
  ].filter(([, value]) => value !== undefined);
}

function pairs(entries) {
  const list = element("dl");
  for (const [name, value] of entries) {
    const className = name === "Camera ID" ? "id" : "";
    list.append(element("dt", { textContent: name }), element("dd", { textContent: value, className }));
  }
  return list;
}

function outsideLink(address, name) {
  return element("a", { href: address, textContent: name, target: "_blank", rel: "noopener noreferrer" });
}

function links(i) {
  const made = cameras.objects[i].split(" ").filter(Boolean).map((object) =>
    outsideLink(`https://www.openstreetmap.org/${object}`, `${object.replace("/", " ")} on OpenStreetMap`));
  const evidence = text("evidence_url", i);
  if (evidence && /^https?:\/\//.test(evidence)) made.push(outsideLink(evidence, "Evidence"));
  if (!made.length) return null;
  const paragraph = element("p");
  made.forEach((link, k) => paragraph.append(k ? ", " : "", link));
  return paragraph;
}

function tags(i) {
  const row = cameras.tags.rows[i];
  if (!row) return null;
  const entries = [];
  for (let k = 0; k < row.length; k += 2) {
    entries.push([cameras.tags.words[row[k]], cameras.tags.words[row[k + 1]]]);
  }
  return element("details", {}, element("summary", { textContent: "As tagged in the source" }), pairs(entries));
}

function owner(i) {
  const rule = text("operator_class_rule", i);
  return code("operator_class", i)
    ? [["Run by", word("operator_class", i)], ["Judged by", words.rules[rule] ?? rule]]
    : [["Run by", NOT_RECORDED]];
}

function heading(i) {
  return code("kind", i) ? word("kind", i) : "Camera, kind not recorded";
}

function cameraDetails(i) {
  const all = rows(i);
  const missing = all.filter(([, value]) => value === null).map(([name]) => name.toLowerCase());
  const body = element("div", { className: "body", tabIndex: 0, role: "group", ariaLabel: "All that is recorded" },
    pairs([...owner(i), ...all.filter(([, value]) => value !== null)]),
    links(i),
    missing.length ? element("p", { className: "note", textContent: `Not recorded: ${missing.join(", ")}.` }) : null,
    cameras.rounded[i] ? element("p", {
      className: "note",
      textContent: "The position is rounded to about 100 metres, because a private operator runs it.",
    }) : null,
    tags(i));
  return element("div", { className: "camera" }, element("h3", { textContent: heading(i) }), body);
}

// Several cameras at one place: one at a time, with buttons to the next.
function cameraPages(group, start = 0) {
  const box = element("div");
  const show = (k) => {
    const camera = cameraDetails(group[k]);
    if (group.length > 1) camera.prepend(turner(k));
    box.replaceChildren(camera);
  };
  const turner = (k) => {
    const step = (by, name) => {
      const button = element("button", { type: "button", textContent: by < 0 ? "‹" : "›", ariaLabel: name });
      button.addEventListener("click", () => {
        show((k + by + group.length) % group.length);
        box.querySelectorAll(".which button")[by < 0 ? 0 : 1].focus();
      });
      return button;
    };
    return element("div", { className: "which" }, step(-1, "Previous camera here"),
      element("span", { role: "status", textContent: `${k + 1} of ${group.length} here` }),
      step(1, "Next camera here"));
  };
  show(start);
  return box;
}

function openDialog(i) {
  const dialog = byId("details");
  const close = element("button", { type: "button", textContent: "Close" });
  close.addEventListener("click", () => dialog.close());
  dialog.replaceChildren(cameraPages([i]), close);
  dialog.showModal();
}
