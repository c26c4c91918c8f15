// The npm package visibility-polygon on prepared walls: only its own computing is timed.
// stdin: {"package": path, "rounds": n, "cases": [{"at": [x, y], "radius": r, "walls": [[[x, y], [x, y]], ...]}]}
// stdout: {"seconds": CPU seconds of one round, "polygons": [[[x, y], ...], ...]}
const input = JSON.parse(require("fs").readFileSync(0, "utf8"));
const { computeViewport } = require(input.package);

const look = ({ at: [x, y], radius, walls }) => {
  const reach = 1.01 * radius;
  return computeViewport([x, y], walls, [x - reach, y - reach], [x + reach, y + reach]);
};
input.cases.forEach(look); // compiles it
const start = process.cpuUsage();
let polygons;
for (let round = 0; round < input.rounds; round++) polygons = input.cases.map(look);
const { user, system } = process.cpuUsage(start);
console.log(JSON.stringify({ seconds: (user + system) / 1e6 / input.rounds, polygons }));
