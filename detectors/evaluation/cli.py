"""``safecity evaluate``: how good a model and the tracker are, against a truth that people have drawn."""

import json
import sys
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from safecity.cli import UsageError
from safecity.settings import DetectorSettings

if TYPE_CHECKING:
    from detectors.detector import Detector
    from detectors.evaluation.detect_report import Shown

evaluate = typer.Typer(
    name="evaluate", help="Measure a model and the tracker against a truth.", no_args_is_help=True
)
T = TypeVar("T")
DEFAULTS = DetectorSettings()
Truth = typer.Option("--truth", help="The truth, one box a line, MOT format.", metavar="MOT.txt")
Model = Annotated[str, typer.Option(help="A model's name, or the path of its card (.toml).", metavar="CARD")]
Backend = Annotated[str, typer.Option(help="What runs it.")]
Json = Annotated[Path | None, typer.Option("--json", help="Write the figures as JSON.", metavar="FILE")]
Plot = Annotated[
    Path | None,
    typer.Option(help='Draw the figures (.png, .svg, .pdf); needs the extra "analysis".', metavar="FILE"),
]
Confidence = Annotated[
    float, typer.Option(help="What starts a track, and what is counted.", min=0.0, max=1.0)
]


@evaluate.command()
def detect(
    dataset: Annotated[
        Path, typer.Argument(help="COCO annotations, a YOLO data.yaml, a folder of either, or a video.")
    ],
    truth: Annotated[Path | None, Truth] = None,
    every: Annotated[int, typer.Option(help="Of a video, every how many frames.", min=1)] = 5,
    labels: Annotated[
        str, typer.Option(help="Only these classes, with commas; of a video: person.", metavar="A,B")
    ] = "",
    images: Annotated[
        Path | None, typer.Option(help="COCO: the folder with the pictures.", metavar="FOLDER")
    ] = None,
    model: Model = DEFAULTS.model,
    backend: Backend = DEFAULTS.backend,
    floor: Annotated[
        float, typer.Option(help="Fainter detections do not enter the precision.", min=0.0, max=1.0)
    ] = 0.05,
    confidence: Confidence = DEFAULTS.confidence,
    as_json: Json = None,
    plot: Plot = None,
) -> None:
    """Average precision of a model, by class: AP50 and AP50-95 as COCO defines them.

    Example: safecity evaluate detect coco/val --labels person,car --json detect.json

    Example: safecity evaluate detect street.mp4 --truth street.txt --every 5
    """
    from detectors.evaluation.detect_report import look_at, measure
    from detectors.evaluation.tables import print_detection

    with _plain_errors():
        detector = _detector(model, backend)
        about, chosen, pictures, count = (
            _dataset(dataset, images, labels, detector)
            if truth is None
            else _footage(dataset, truth, every, labels or "person", detector)
        )
        looks = look_at(detector, _with_progress(pictures, count), chosen, floor)
        figures, curves = measure(looks, confidence)
        document = {
            "task": "detect",
            **about,
            "model": detector.identity,
            "pictures": count,
            "floor": floor,
            "confidence": confidence,
            **figures,
        }
        print_detection(document)
        _write(document, as_json)
        if plot:
            from detectors.evaluation.plots import plot_detection

            plot_detection(curves, f"{detector.identity} on {dataset.name}", plot)


@evaluate.command("track")
def track_command(
    video: Annotated[Path, typer.Argument(help="The footage.")],
    truth: Annotated[Path, Truth],
    rates: Annotated[str, typer.Option(help="Analysed frames a second, with commas.")] = "10,5,2",
    label: Annotated[str, typer.Option(help="The class of the truth's objects.")] = "person",
    model: Model = DEFAULTS.model,
    backend: Backend = DEFAULTS.backend,
    confidence: Confidence = DEFAULTS.confidence,
    as_json: Json = None,
    plot: Plot = None,
) -> None:
    """MOTA, IDF1 and HOTA of model and tracker together, by analysed rate.

    Frames after the truth's last one are not looked at; a frame before it that has no line has no objects.

    Example: safecity evaluate track street.mp4 --truth street.txt --rates 10,5,2 --json track.json
    """
    from detectors.evaluation.footage import frame_rate
    from detectors.evaluation.mot import read_mot
    from detectors.evaluation.tables import print_tracking
    from detectors.evaluation.track_report import look_at_footage, measure

    with _plain_errors():
        detector = _detector(model, backend, only=[*DEFAULTS.labels, label])
        _check_labels([label], detector)
        wanted, known, full = _parse_rates(rates), read_mot(truth), round(frame_rate(video), 3)
        count = known.last - known.first + 1
        seen = list(_with_progress(look_at_footage(detector, video, known, confidence), count))
        of_rate = {
            rate: measure(seen, known, detector.labels, label, confidence, rate)
            for rate in sorted({full, *(rate for rate in wanted if rate < full)}, reverse=True)
        }
        document = {
            "task": "track",
            "video": video.name,
            "truth": truth.name,
            "label": label,
            "model": detector.identity,
            "confidence": confidence,
            "frames": [known.first, known.last],
            **of_rate[full],
            "rates": [of_rate[rate] for rate in wanted if rate in of_rate],
            "rates_above_footage": [rate for rate in wanted if rate > full],
        }
        print_tracking(document)
        _write(document, as_json)
        if plot:
            from detectors.evaluation.plots import plot_tracking

            plot_tracking(list(of_rate.values()), f"{detector.identity} on {video.name}", plot)


def _dataset(
    path: Path, images: Path | None, labels: str, detector: "Detector"
) -> tuple[dict[str, Any], list[str], "Iterable[Shown]", int]:
    from detectors.evaluation.datasets import read_dataset
    from detectors.evaluation.detect_report import dataset_pictures

    dataset = read_dataset(path, detector.labels, images)
    chosen = _split(labels) or [label for label in dataset.labels if label in detector.labels]
    _check_labels(chosen, detector)
    missing = sorted(set(chosen) - set(dataset.labels))
    if missing:
        raise UsageError(
            f"{path}: no class is called {', '.join(missing)}; there are: {', '.join(dataset.labels)}"
        )
    if not chosen:
        raise UsageError(
            f"{path}: the model knows none of its classes ({', '.join(dataset.labels)}); "
            f"it knows: {', '.join(detector.labels)}"
        )
    unknown = [label for label in dataset.labels if label not in detector.labels]
    about = {"dataset": path.name, "format": dataset.kind, "unknown_labels": unknown}
    return about, chosen, dataset_pictures(dataset), len(dataset.pictures)


def _footage(
    video: Path, truth: Path, every: int, labels: str, detector: "Detector"
) -> tuple[dict[str, Any], list[str], "Iterable[Shown]", int]:
    from detectors.evaluation.detect_report import footage_frames, footage_pictures
    from detectors.evaluation.mot import read_mot

    chosen = _split(labels)
    if len(chosen) != 1:
        raise UsageError("--labels: a MOT truth has objects of one class; name that one")
    _check_labels(chosen, detector)
    known = read_mot(truth)
    about = {
        "dataset": video.name,
        "format": "mot",
        "truth": truth.name,
        "every": every,
        "unknown_labels": [],
    }
    return about, chosen, footage_pictures(video, known, every), len(footage_frames(known, every))


def _detector(model: str, backend: str, only: Container[str] | None = None) -> "Detector":
    """A detector of all its classes, or of those that a worker would look for."""
    from detectors.cards import load_card
    from detectors.detector import build_detector

    known = load_card(model).labels
    labels = tuple(label for label in known if only is None or label in only) or known
    return build_detector(DetectorSettings(model=model, backend=backend, labels=labels))


def _check_labels(labels: Iterable[str], detector: "Detector") -> None:
    unknown = sorted(set(labels) - set(detector.labels))
    if unknown:
        raise UsageError(
            f"the model does not know {', '.join(unknown)}; it knows: {', '.join(detector.labels)}"
        )


def _split(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _parse_rates(text: str) -> list[float]:
    try:
        rates = [float(part) for part in _split(text)]
    except ValueError:
        rates = []
    if not rates or not all(0 < rate < 1000 for rate in rates):
        raise UsageError(f"--rates: want frames a second with commas, e.g. 10,5,2: {text!r}")
    return rates


def _with_progress(items: Iterable[T], count: int) -> Iterator[T]:
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(items, "pictures", total=count, console=console, disable=not sys.stderr.isatty())


def _write(document: dict[str, Any], path: Path | None) -> None:
    if path:
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


@contextmanager
def _plain_errors() -> Iterator[None]:
    """What is wrong with files and models is the user's to mend."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise UsageError(str(error)) from None
    except ImportError as error:
        if error.name and error.name.startswith("matplotlib"):
            raise UsageError('--plot needs matplotlib: pip install "safecity[analysis]"') from None
        raise
