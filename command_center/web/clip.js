// The recording around an event: cut when the button is pressed, played in the page, or said why not.

import { get } from "./api.js";
import { element } from "./format.js";

export class Clip {
  constructor(button, note, video) {
    Object.assign(this, { button, note, video, event: null, about: "" });
    button.addEventListener("click", () => this.play());
    video.addEventListener("error", () => {
      if (video.hasAttribute("src")) this.say(`This browser cannot play the clip. ${this.about}`, video.src);
    });
  }

  // Another event, or none.
  reset(event) {
    this.event = event;
    this.video.pause();
    this.video.removeAttribute("src");
    this.video.load();
    this.video.hidden = true;
    this.button.disabled = false;
    this.say("");
  }

  async play() {
    const event = this.event;
    this.button.disabled = true;
    this.say("Cutting the clip …");
    try {
      const clip = await get(`/events/${event.event_id}/clip/info`);
      if (this.event !== event) return;
      const missing = clip.gaps.length ? [`Missing: ${clip.gaps.join("; ")}.`] : [];
      this.about = [clip.note, ...missing].filter(Boolean).join(" ");
      this.say(this.about, clip.note ? clip.url : null);
      this.video.hidden = false;
      this.video.src = clip.url;
      await this.video.play().catch(() => {}); // said by the error event, or the person presses play
    } catch (problem) {
      if (this.event === event) this.say(problem.message.endsWith("404") ? "Nothing is recorded around this event." : `No clip: ${problem.message}`);
    } finally {
      if (this.event === event) this.button.disabled = false;
    }
  }

  say(text, link = null) {
    this.note.replaceChildren(text, ...(link ? [" ", element("a", { href: link, download: "" }, "Save the clip")] : []));
  }
}
