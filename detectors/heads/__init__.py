"""Heads: one output layout a file.

Each has

- ``decode(outputs, size, floor) -> Detections``;
- ``classes(outputs) -> int | None``, the number of classes that outputs of this layout tell apart (None: they
  do not say);
- ``recognises(shapes, size) -> bool``, whether outputs of such shapes can be of this layout;
- ``USUAL``, the settings of a card's input that models with this layout are trained with, as far as the file
  of the model does not say otherwise.
"""
