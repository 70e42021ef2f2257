// The list of events: newest first, bounded, and steady while somebody reads further down.

import { clockTime, element, kindName, objects, plain } from "./format.js";
import { drawMarks, makeMarks } from "./marks.js";
import { showPicture } from "./picture.js";

const MOST_ROWS = 300;

export class Feed {
  constructor({ list, fresh, empty, announce, open, cameraOf, statusOf }) {
    Object.assign(this, { list, fresh, empty, announce, open, cameraOf, statusOf });
    this.events = [];
    this.waiting = [];
    this.paused = false;
    this.scheduled = false;
    fresh.addEventListener("click", () => {
      window.scrollTo({ top: 0 });
      this.release();
    });
    window.addEventListener("scroll", () => {
      if (window.scrollY < 40 && !this.paused) this.release();
    });
  }

  // What a page of the API says: replaces everything, or goes below it.
  show(items, below = false) {
    if (!below) {
      this.events = [];
      this.waiting = [];
      this.list.replaceChildren();
    }
    for (const event of items) {
      if (this.events.some((known) => known.event_id === event.event_id)) continue;
      this.events.push(event);
      this.list.append(this.row(event));
    }
    this.tidy();
  }

  add(event) {
    this.waiting.push(event);
    if (this.paused || window.scrollY >= 40) this.tidy();
    else if (!this.scheduled) {
      this.scheduled = true;
      requestAnimationFrame(() => this.release());
    }
  }

  release() {
    this.scheduled = false;
    const batch = this.waiting.splice(0);
    for (const event of batch) this.place(event);
    const fresh = batch.filter((event) => event.revision === 1);
    if (fresh.length === 1) this.announce(`${kindName(fresh[0].kind)}, ${fresh[0].camera_name}`);
    else if (fresh.length) this.announce(`${fresh.length} new events`);
    while (this.events.length > MOST_ROWS) {
      this.events.pop();
      this.list.lastElementChild.remove();
    }
    this.tidy();
  }

  pause(paused) {
    this.paused = paused;
    if (!paused) this.release();
  }

  move(step) {
    const rows = [...this.list.querySelectorAll(".event")];
    const at = rows.indexOf(document.activeElement);
    const next = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + step))];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }

  neighbour(event, step) {
    return this.events[this.events.findIndex((known) => known.event_id === event.event_id) + step];
  }

  place(event) {
    const known = this.events.findIndex((other) => other.event_id === event.event_id);
    // A revision that comes late or again adds nothing: the newest stays.
    if (known >= 0 && this.events[known].revision >= event.revision) return;
    const row = this.row(event);
    if (known >= 0) {
      this.events[known] = event;
      this.list.children[known].replaceWith(row);
      return;
    }
    const before = this.events.findIndex((other) => other.occurred_at <= event.occurred_at);
    const index = before < 0 ? this.events.length : before;
    this.events.splice(index, 0, event);
    row.classList.add("arriving");
    this.list.insertBefore(row, this.list.children[index] ?? null);
  }

  row(event) {
    const image = element("img", { loading: "lazy", decoding: "async", width: 160, height: 120 });
    const marks = makeMarks();
    showPicture(image, event);
    drawMarks(marks, event, this.cameraOf(event.camera_id));
    const where = event.zone ?? event.line;
    const button = element(
      "button",
      { type: "button", className: "event" },
      element("span", { className: "picture" }, image, marks),
      element(
        "span",
        { className: "words" },
        element("span", { className: "kind" }, kindName(event.kind), where ? ` “${where}”` : ""),
        element("span", { className: "camera" }, event.camera_name),
        element("span", { className: "objects" }, [objects(event), ...details(event)].filter(Boolean).join(" · ")),
      ),
      element(
        "span",
        { className: "when" },
        element("time", { dateTime: event.opened_at }, clockTime(event.opened_at)),
        ...lasting(event, this.statusOf(event.camera_id)),
        element("span", { className: `severity ${event.severity}` }, event.severity),
      ),
    );
    button.addEventListener("click", () => this.open(event.event_id));
    return element("li", {}, button);
  }

  // A camera has, or all may have, another owner or configuration: what lasted may be over.
  turn(cameraId = null) {
    this.events.forEach((event, index) => {
      const meant = cameraId === null || event.camera_id === cameraId;
      if (meant && event.phase !== "closed") this.list.children[index].replaceWith(this.row(event));
    });
  }

  find(eventId) {
    return this.events.find((event) => event.event_id === eventId);
  }

  tidy() {
    const fresh = new Set(this.waiting.map((event) => event.event_id)).size;
    this.fresh.hidden = fresh === 0 || this.scheduled;
    this.fresh.textContent = `${fresh} new`;
    this.empty.hidden = this.events.length > 0 || this.waiting.length > 0;
  }
}

// Whether a newer revision may come: only its owner tells of an event's end, and under the same configuration.
export function goesOn(event, status) {
  if (event.phase === "closed") return false;
  if (!status || !event.trace || event.trace.epoch > status.epoch) return true;
  return event.trace.epoch === status.epoch && (!status.config || status.config === event.config);
}

// Whether an event that lasts goes on, or when it ended.
function lasting(event, status) {
  if (goesOn(event, status)) return [element("span", { className: "severity going-on" }, "going on")];
  if (event.phase !== "closed") return [element("span", { className: "until" }, "end not seen")];
  if (!event.closed_at || event.closed_at === event.opened_at) return [];
  return [element("span", { className: "until" }, `to ${clockTime(event.closed_at)}`)];
}

export const details = (event) =>
  Object.entries(event.attributes).map(([name, value]) =>
    name === "dwell_seconds" || name === "duration_seconds" ? `for ${Math.round(value)} s` : `${plain(name).toLowerCase()}: ${plain(String(value)).toLowerCase()}`,
  );
