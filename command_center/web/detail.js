// One event, large: its picture with the objects marked, and everything that is known of it.

import { duration, element, fullTime, kindName, objects } from "./format.js";
import { details, goesOn } from "./feed.js";
import { drawMarks, makeMarks } from "./marks.js";
import { Clip } from "./clip.js";
import { showPicture } from "./picture.js";

export class Detail {
  constructor(dialog, feed, cameraOf, statusOf) {
    Object.assign(this, { dialog, feed, cameraOf, statusOf });
    const part = (name) => dialog.querySelector(`#detail-${name}`);
    Object.assign(this, { title: part("title"), picture: part("picture"), facts: part("facts") });
    this.marks = makeMarks();
    this.picture.after(this.marks);
    this.newer = part("newer");
    this.older = part("older");
    this.newer.addEventListener("click", () => this.step(-1));
    this.older.addEventListener("click", () => this.step(1));
    this.clip = new Clip(part("clip"), part("clip-note"), part("video"));
    dialog.addEventListener("close", () => this.clip.reset(null));
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
    if (this.clip.event?.event_id !== event.event_id) this.clip.reset(event);
    showPicture(this.picture, event);
    drawMarks(this.marks, event, this.cameraOf(event.camera_id));
    this.facts.replaceChildren();
    const facts = {
      Time: fullTime(event.opened_at),
      Until: this.until(event),
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

  until(event) {
    if (goesOn(event, this.statusOf(event.camera_id))) return "it is going on";
    if (event.phase !== "closed") return "its end was not seen: its worker has ended, or its camera was changed";
    return event.closed_at !== event.opened_at && event.closed_at && fullTime(event.closed_at);
  }

  // A newer revision of the event that is looked at.
  renew(event) {
    if (this.dialog.open && event.event_id === this.event?.event_id && event.revision > this.event.revision) this.show(event);
  }

  step(by) {
    const next = this.feed.neighbour(this.event, by);
    if (next) this.show(next);
  }
}
