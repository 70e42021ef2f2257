"""Classes of object that belong together."""

VEHICLES = frozenset({"car", "truck", "bus"})
"""Motor vehicles on four wheels or more."""

GROUPS = (VEHICLES, frozenset({"bicycle", "motorcycle"}))
"""Classes that a detector mistakes for each other from one picture to the next."""


def group_of(label: str) -> str:
    """The same for all classes that are taken for each other; else the class itself."""
    return next((min(group) for group in GROUPS if label in group), label)
