// What is drawn over an event's picture: the zone or line that is watched, and the objects that took part.

const SVG = "http://www.w3.org/2000/svg";

// Coordinates are relative to the picture, 0 to 1, like the viewBox.
export function makeMarks() {
  const svg = document.createElementNS(SVG, "svg");
  const attributes = { viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" };
  for (const [name, value] of Object.entries(attributes)) svg.setAttribute(name, value);
  return svg;
}

export function drawMarks(svg, event, camera) {
  const zone = camera?.zones.find((known) => known.name === event.zone);
  const line = camera?.lines.find((known) => known.name === event.line);
  svg.replaceChildren(
    ...(zone ? [shape("polygon", { points: zone.polygon.map((point) => point.join(",")).join(" ") })] : []),
    ...(line ? [shape("line", { x1: line.start[0], y1: line.start[1], x2: line.end[0], y2: line.end[1] })] : []),
    ...boxes(event).map(([x1, y1, x2, y2]) => shape("rect", { x: x1, y: y1, width: x2 - x1, height: y2 - y1 })),
  );
}

// Of the objects that took part; a thing that was left or taken away has only the event's own.
function boxes(event) {
  if (event.tracks.length) return event.tracks.map((track) => track.box);
  return event.box ? [event.box] : [];
}

function shape(kind, attributes) {
  const made = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
