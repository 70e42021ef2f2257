"""The cameras that a shard has now: opened, changed and closed while the others run on."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

import structlog

from ingest.ledger import Outcome
from ingest.orders import Change, Drop, End, Order, Take
from ingest.overload import Overload
from ingest.post import Post, PostMaker
from ingest.tenure import Tenure
from ingest.track_memory import TrackMemory
from safecity.camera import Camera, check_url
from safecity.status import LedgerCounts

_OF_THE_STREAM = (
    "source",
    "substream",
    "playback",
    "start_offset_seconds",
    "start_time",
    "transport",
    "analysed_fps",
    "decode",
    "deblocking",
    "masks",
    "priority",
    "recording",
    "pre_roll_seconds",
    "post_roll_seconds",
)
"""A change of one of these opens the camera anew; any other is made between two frames."""

_log = structlog.get_logger()


class ShardCameras:
    """Does what it is told about cameras; nothing here waits for one.

    Args:
        maker: makes posts.
        overload: told of every camera that comes and goes.
        memory: of tracks.
        on_closed: called with a post whose streams have ended.
    """

    def __init__(
        self,
        maker: PostMaker,
        overload: Overload,
        memory: TrackMemory,
        on_closed: Callable[[Post], None],
    ) -> None:
        self._maker = maker
        self._overload = overload
        self._memory = memory
        self._on_closed = on_closed
        self._posts: dict[str, Post] = {}
        self._closing: list[Post] = []
        self._waiting: deque[Take] = deque()
        self.ledgers: dict[str, LedgerCounts] = {}
        """Of cameras that have gone, all their times here together."""

    def __iter__(self) -> Iterator[Post]:
        return iter(tuple(self._posts.values()))

    def begin(self, camera: Camera, epoch: int) -> None:
        """A camera that is there from the start: the overload knows it."""
        self._posts[camera.id] = self._made(Take(camera, epoch))

    def obey(self, order: Order) -> None:
        """Do it, or begin to."""
        match order:
            case Take():
                self._close(order.camera_id)
                self._waiting.append(order)
            case Change():
                self._change(order)
            case End():
                self._end(order)
            case Drop():
                self._waiting = deque(take for take in self._waiting if take.camera_id != order.camera_id)
                self._close(order.camera_id)

    def open_due(self) -> list[Post]:
        """Take in what waits, and open the cameras whose turn it is; which."""
        self._finish_closing()
        for _ in range(len(self._waiting)):
            self._take_in(self._waiting.popleft())
        opened = []
        for camera_id, setting in self._overload.due(time.monotonic()):
            self._posts[camera_id].start(setting)
            opened.append(self._posts[camera_id])
        return opened

    def end_due(self) -> None:
        """Close what its new owner has."""
        now = time.monotonic()
        for post in self:
            if post.tenure.is_over(now):
                _log.info("camera handed over", camera_id=post.camera.id, epoch=post.tenure.epoch)
                self._close(post.camera.id)

    def close_all(self, timeout: float) -> None:
        """End everything; each of the streams may take up to ``timeout`` seconds."""
        for post in self:
            post.request_stop()
        self._closing += self
        self._posts.clear()
        for post in self._closing:
            post.stop(timeout)
        for post in self._closing:
            self._finish(post)
        self._closing = []

    def _take_in(self, take: Take) -> None:
        if any(post.camera.id == take.camera_id for post in self._closing):
            # Two readers of one camera would record into the same files.
            self._waiting.append(take)
            return
        for url in take.camera.urls.values():
            check_url(url)  # and its password is known to this process
        _log.info("camera taken over", camera_id=take.camera_id, epoch=take.epoch)
        self._posts[take.camera_id] = self._made(take)
        self._overload.add(take.camera, time.monotonic())

    def _made(self, take: Take) -> Post:
        post = self._maker.post(take.camera, Tenure(take.epoch, warm=take.warm, now=time.monotonic()))
        self._memory.recall(post.camera, post.pipeline)
        return post

    def _change(self, order: Change) -> None:
        post, camera = self._posts.get(order.camera_id), order.camera
        if post is None:
            self._waiting = deque(
                replace(take, camera=camera) if take.camera_id == camera.id else take
                for take in self._waiting
            )
            return
        if any(getattr(camera, name) != getattr(post.camera, name) for name in _OF_THE_STREAM):
            _log.info("camera changed, opened anew", camera_id=camera.id)
            self._close(camera.id)
            self._waiting.append(Take(camera, post.tenure.epoch))
            return
        _log.info("camera changed", camera_id=camera.id)
        pipeline, known = self._maker.pipeline(camera, post.main), post.pipeline.tracks()
        if known is not None:
            pipeline.restore_tracks(*known, skipped_ids=0)
        post.camera, post.pipeline = camera, pipeline

    def _end(self, order: End) -> None:
        self._waiting = deque(take for take in self._waiting if take.camera_id != order.camera_id)
        if (post := self._posts.get(order.camera_id)) is not None:
            post.tenure.succeeded(order.since, time.monotonic())

    def _close(self, camera_id: str) -> None:
        post = self._posts.pop(camera_id, None)
        if post is not None:
            post.request_stop()
            self._overload.remove(camera_id)
            self._closing.append(post)

    def _finish_closing(self) -> None:
        for post in [post for post in self._closing if not post.is_running]:
            post.stop(0.0)
            self._closing.remove(post)
            self._finish(post)

    def _finish(self, post: Post) -> None:
        while post.mailbox.take() is not None:
            post.ledger.settle(Outcome.SHED)
        self._memory.keep([(post.camera, post.pipeline)], complete=True)
        before = self.ledgers.get(post.camera.id, LedgerCounts())
        self.ledgers[post.camera.id] = before.plus(post.ledger.counts())
        self._on_closed(post)
