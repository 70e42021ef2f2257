"""Which keys settings may have at a place in the site file, for who wrote one that is unknown."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel


def advice(model: type[BaseModel], location: Sequence[int | str]) -> str:
    """What to write instead of the key at ``location``, as pydantic gives it; empty when nobody knows."""
    *place, wrong = location
    known = _keys(model, place)
    alike = get_close_matches(str(wrong), known, 1, cutoff=0.5)
    likely = f"did you mean {alike[0]}? " if alike else ""
    return f"{likely}want one of {', '.join(known)}" if known else ""


def _keys(model: type[BaseModel], place: Sequence[int | str]) -> list[str]:
    there = [model]
    for part in place:
        if isinstance(part, str):
            # Of a union it is the kind that was chosen, of anything else a member.
            of_kind = [m for m in there if "kind" in m.model_fields and part in _words(m)]
            there = of_kind or [
                inner
                for outer in there
                if part in outer.model_fields
                for inner in _models(outer.model_fields[part].annotation)
            ]
    return sorted(there[0].model_fields) if len(there) == 1 else []


def _words(model: type[BaseModel]) -> tuple[Any, ...]:
    return get_args(model.model_fields["kind"].annotation)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
