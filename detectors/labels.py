"""Class names of the data sets that models are trained on, in the order of their scores."""

_BY_ID = """
    person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant,
    street sign, stop sign, parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra,
    giraffe, hat, backpack, umbrella, shoe, eye glasses, handbag, tie, suitcase, frisbee, skis, snowboard,
    sports ball, kite, baseball bat, baseball glove, skateboard, surfboard, tennis racket, bottle, plate,
    wine glass, cup, fork, knife, spoon, bowl, banana, apple, sandwich, orange, broccoli, carrot, hot dog,
    pizza, donut, cake, chair, couch, potted plant, bed, mirror, dining table, window, desk, toilet, door, tv,
    laptop, mouse, remote, keyboard, cell phone, microwave, oven, toaster, sink, refrigerator, blender, book,
    clock, vase, scissors, teddy bear, hair drier, toothbrush
"""
COCO90 = tuple(name.strip() for name in _BY_ID.split(","))
"""COCO's categories by their ids 1 to 90. Lin et al. 2014, https://arxiv.org/abs/1405.0312"""
NEVER_DRAWN = frozenset(
    ("street sign", "hat", "shoe", "eye glasses", "plate", "mirror", "window", "desk", "door", "blender")
)
"""They have an id and no box in the published data."""
COCO80 = tuple(name for name in COCO90 if name not in NEVER_DRAWN)
LABEL_SETS = {"coco80": COCO80, "coco90": COCO90}


def label_set(name: str) -> tuple[str, ...]:
    """The class names of a known data set.

    Raises:
        ValueError: it is not known.
    """
    if name not in LABEL_SETS:
        raise ValueError(f"no set of labels is called {name!r}; there are: {', '.join(sorted(LABEL_SETS))}")
    return LABEL_SETS[name]
