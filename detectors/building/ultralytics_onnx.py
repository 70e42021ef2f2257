"""ultralytics checkpoints as ONNX, by ultralytics' own exporter.

ultralytics is under the AGPL-3.0, and so are its models and what is exported from them, unless a licence has
been bought. It is not part of safecity and is loaded here only, when the user asks for it.
"""

import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

LICENCE = "AGPL-3.0"
TERMS = (
    "ultralytics and its models are under the AGPL-3.0: who lets others use a service built with them has to "
    "offer those its whole source code under the same licence, unless an enterprise licence has been bought "
    "(https://ultralytics.com/license). safecity itself is Apache-2.0 and does not contain them."
)


def export_onnx(checkpoint: str, size: int, target: Path) -> Path:
    """Write the model of ``checkpoint`` (.pt, or an architecture's .yaml, with random weights) to ``target``.

    Args:
        checkpoint: a file, or a name that ultralytics knows. A .pt that is not there ultralytics downloads.
        size: width and height of the input, pixels.
        target: the ONNX file to write.

    Raises:
        ImportError: ultralytics is not installed.
        ValueError: it cannot load or export the checkpoint.
    """
    path = Path(checkpoint)
    # It would install packages and send usage data while it runs otherwise.
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    if path.is_file() or path.suffix == ".yaml":
        os.environ.setdefault("YOLO_OFFLINE", "true")
    source = str(path.resolve()) if path.is_file() else checkpoint
    target = target.resolve()
    with (
        tempfile.TemporaryDirectory(prefix="safecity-export-") as folder,
        contextlib.chdir(folder),
        # What it has to say is not what was asked for.
        contextlib.redirect_stdout(sys.stderr),
    ):
        from ultralytics import YOLO

        if path.suffix == ".pt" and Path(source).is_file():
            # The exporter writes beside the checkpoint.
            source = shutil.copy(source, folder)
        try:
            model = YOLO(source)
            if model.task != "detect":
                raise ValueError(f"{checkpoint}: its task is {model.task!r}, want one that detects")
            written = model.export(format="onnx", imgsz=size, simplify=True, device="cpu")
        except (OSError, RuntimeError, TypeError, KeyError, AttributeError, SyntaxError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ValueError(f"{checkpoint}: ultralytics cannot export it: {reason}") from None
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(written, target)
    return target
