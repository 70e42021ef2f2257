"""A detector that cannot be had is refused before any work is begun."""

from safecity.cli import UsageError
from safecity.settings import DetectorSettings


def check_detector(settings: DetectorSettings) -> None:
    """Build the detector once, to find out.

    Raises:
        UsageError: the model or its backend is unknown or broken.
    """
    from detectors.detector import build_detector

    try:
        build_detector(settings)
    except (ValueError, OSError) as error:
        raise UsageError(f"detector: {error}") from None
