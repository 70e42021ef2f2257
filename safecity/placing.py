"""Which partition a new camera is put into: where the cameras cost least. Those that are there stay. Pure."""

from collections.abc import Mapping, Sequence

ASSUMED_CORES = 0.04
"""Of a camera, before any was measured."""


def place(
    new: Sequence[str],
    placed: Mapping[str, int],
    costs: Mapping[str, float],
    partitions: Sequence[int],
) -> dict[str, int]:
    """The partition of each new camera.

    Args:
        new: camera ids, in the order in which they are placed.
        placed: partition by camera, of those that are there.
        costs: cores by camera, as far as measured; any other is taken for the average.
        partitions: that there are.
    """
    known = [costs[camera_id] for camera_id in placed if camera_id in costs]
    average = sum(known) / len(known) if known else ASSUMED_CORES
    load = dict.fromkeys(partitions, 0.0)
    count = dict.fromkeys(partitions, 0)
    for camera_id, partition in placed.items():
        load[partition] = load.get(partition, 0.0) + costs.get(camera_id, average)
        count[partition] = count.get(partition, 0) + 1
    # Workers hold runs of neighbouring partitions: the first few cameras are not to be all in one of them.
    bits = max(partitions, default=0).bit_length()
    turn = {number: int(f"{number:0{bits}b}"[::-1], 2) for number in partitions}
    chosen = {}
    for camera_id in new:
        partition = min(partitions, key=lambda number: (round(load[number], 6), count[number], turn[number]))
        chosen[camera_id] = partition
        load[partition] += costs.get(camera_id, average)
        count[partition] += 1
    return chosen
