"""What every message on the bus has in common: frozen, UTC, and readable by older and newer programs."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError


def _to_utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


def format_utc(value: datetime) -> str:
    """RFC 3339 with six decimals and ``Z``: text order is time order."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


UtcTime = Annotated[
    AwareDatetime,
    AfterValidator(_to_utc),
    PlainSerializer(format_utc, return_type=str, when_used="json"),
]
"""An aware time, UTC on the wire. A time without a zone is refused."""

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,62}$"

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
"""An identifier that is safe in a topic key, a file name, a URL and a metric label."""

Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
"""A share of one, or a coordinate relative to the picture."""

Box = tuple[Share, Share, Share, Share]
"""x1 y1 x2 y2, relative to the picture, 0 to 1."""


def _of_this_version(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    try:
        return read(value)
    except ValidationError:
        raise PydanticCustomError(
            "schema_version",
            "version {given} of the schema, and this release reads version 1: a newer one wrote it",
            {"given": str(value)[:20]},
        ) from None


VersionOne = Annotated[Literal[1], WrapValidator(_of_this_version)]
"""The version of a message's schema. It rises only when an older reader would misunderstand the message: new
fields do not raise it, and a reader ignores those that it does not know."""


class Message(BaseModel):
    """A message: frozen, unknown fields ignored, so that an older reader survives a newer writer."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="null")

    def to_bytes(self) -> bytes:
        """Canonical JSON, UTF-8: the same message gives the same bytes."""
        return self.model_dump_json().encode()

    def changed(self, **changes: object) -> Self:
        """A copy with other values, which are not checked: ``model_copy(update=...)``, but quick.

        Rules see a copy of most tracks of most frames, so that it is a large part of what they cost. Only for
        messages without extra fields and private attributes, which is all of them.
        """
        copy = self.__class__.__new__(self.__class__)
        object.__setattr__(copy, "__dict__", {**self.__dict__, **changes})
        object.__setattr__(copy, "__pydantic_extra__", None)
        object.__setattr__(copy, "__pydantic_fields_set__", {*self.__pydantic_fields_set__, *changes})
        object.__setattr__(copy, "__pydantic_private__", None)
        return copy

    @classmethod
    def from_bytes(cls, value: bytes) -> Self:
        """Read one message.

        Raises:
            pydantic.ValidationError: not JSON, or not this kind of message.
        """
        return cls.model_validate_json(value)
