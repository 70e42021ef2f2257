"""How good detections and tracks are, against a truth that people have drawn.

The measures are pure: ``detection`` (COCO's average precision), ``clear_mot``, ``identity`` and ``hota``.
Files are read by ``datasets`` (COCO, YOLO) and ``mot``.
"""
