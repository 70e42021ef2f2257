"""Writing a model card as TOML, as short as it can be: what has its default is left out."""

import json
from pathlib import Path
from typing import Any

from detectors.cards import ModelCard
from detectors.labels import LABEL_SETS


def write_card(card: ModelCard, path: Path) -> Path:
    """Write ``card``; its file is named relative to it when it lies beside it or below."""
    file = Path(card.file)
    if file.is_absolute() and file.is_relative_to(path.parent.resolve()):
        file = file.relative_to(path.parent.resolve())
    settings = card.model_dump(mode="json", exclude_defaults=True) | {"file": file.as_posix()}
    settings["labels"] = next(
        (name for name, known in LABEL_SETS.items() if known == card.labels), card.labels
    )
    table = {key: _short(value) for key, value in settings.pop("input").items()}
    lines = [_line(key, value) for key, value in settings.items()]
    lines += ["", "[input]", *(_line(key, value) for key, value in table.items())]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _line(key: str, value: Any) -> str:
    # Strings, numbers and lists of them look in TOML as they do in JSON.
    return f"{key} = {json.dumps(value, ensure_ascii=False)}"


def _short(value: Any) -> Any:
    """Three equal numbers as one."""
    return value[0] if isinstance(value, list) and len(set(value)) == 1 else value
