"""The pictures that go with events: of the moment, or the best that was kept since."""

from collections.abc import Callable
from dataclasses import dataclass

from safecity.event import Event
from safecity.evidence import Picture
from safecity.ruleset import Rulings


@dataclass(frozen=True)
class Decision:
    """An event and the picture that goes with it."""

    event: Event
    picture: bytes | None
    """JPEG, masked, people pixelated; None: the event names a picture that was sent before."""


class EvidencePictures:
    """Keeps one JPEG at most for each event that may get a better one, and encodes only what is wanted."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}
        self._sent: dict[str, str] = {}
        """Event id → name of the picture that was sent last."""

    def illustrate(self, rulings: Rulings, take: Callable[[], bytes]) -> tuple[Decision, ...]:
        """The events with their pictures.

        Args:
            rulings: of this frame.
            take: makes the JPEG of this frame; called once at the most.
        """
        now = any(ruling.picture is Picture.NOW for ruling in rulings.told)
        jpeg = take() if now or rulings.keep else None
        if jpeg is not None:
            self._kept.update(dict.fromkeys(sorted(rulings.keep), jpeg))
        decisions = tuple(self._decision(ruling.event, ruling.picture, jpeg) for ruling in rulings.told)
        for known in (self._kept, self._sent):
            for event_id in known.keys() - rulings.unfinished:
                known.pop(event_id)
        return decisions

    def _decision(self, event: Event, picture: Picture, jpeg: bytes | None) -> Decision:
        name = f"{event.event_id}-{event.revision}.jpg"
        if picture is Picture.SAME:
            jpeg, name = None, self._sent.get(event.event_id, "")
        elif picture is Picture.KEPT:
            jpeg = self._kept.pop(event.event_id)
        self._sent[event.event_id] = name
        return Decision(event.model_copy(update={"snapshot": name or None}), jpeg)
