"""Is the camera itself well? Found on the small grey picture of the motion gate, for next to nothing.

Pure: pictures and event time in, raised and cleared faults out.
"""

from detectors.camera_health.monitor import CameraHealth, FaultChange

__all__ = ["CameraHealth", "FaultChange"]
