// One event, large: its picture with the objects marked, and everything that is known of it.

import { duration, element, fullTime, kindName, objects } from "./format.js";
import { details } from "./feed.js";
import { showPicture } from "./picture.js";

const SVG = "http://www.w3.org/2000/svg";

export class Detail {
  constructor(dialog, feed) {
    this.dialog = dialog;
    this.feed = feed;
    const part = (name) => dialog.querySelector(`#detail-${name}`);
    Object.assign(this, { title: part("title"), picture: part("picture"), boxes: part("boxes"), facts: part("facts") });
    this.newer = part("newer");
    this.older = part("older");
    this.newer.addEventListener("click", () => this.step(-1));
    this.older.addEventListener("click", () => this.step(1));
    part("close").addEventListener("click", () => dialog.close());
    dialog.addEventListener("keydown", (press) => {
      if (press.key === "ArrowLeft") this.step(-1);
      if (press.key === "ArrowRight") this.step(1);
    });
  }

  show(event) {
    this.event = event;
    const where = event.zone ?? event.line;
    this.title.textContent = `${kindName(event.kind)}${where ? ` “${where}”` : ""}, ${event.camera_name}`;
    showPicture(this.picture, event);
    this.boxes.replaceChildren(...event.tracks.map((track) => marked(track.box)));
    this.facts.replaceChildren();
    const facts = {
      Time: fullTime(event.occurred_at),
      Camera: `${event.camera_name} (${event.camera_id})`,
      Rule: event.rule,
      Seen: [objects(event), ...details(event)].filter(Boolean).join(" · "),
      Confidence: event.tracks.map((track) => `${Math.round(100 * track.confidence)} %`).join(", "),
      Severity: event.severity,
      "From camera to store": duration(event.latency_ms),
      Worker: event.trace?.worker,
      Id: `${event.event_id}, revision ${event.revision}`,
    };
    for (const [name, value] of Object.entries(facts)) {
      if (value) this.facts.append(element("dt", {}, name), element("dd", {}, value));
    }
    this.newer.disabled = !this.feed.neighbour(event, -1);
    this.older.disabled = !this.feed.neighbour(event, 1);
    if (!this.dialog.open) this.dialog.showModal();
  }

  step(by) {
    const next = this.feed.neighbour(this.event, by);
    if (next) this.show(next);
  }
}

function marked([x1, y1, x2, y2]) {
  const rectangle = document.createElementNS(SVG, "rect");
  const place = { x: x1, y: y1, width: x2 - x1, height: y2 - y1 };
  for (const [name, value] of Object.entries(place)) rectangle.setAttribute(name, value);
  return rectangle;
}
