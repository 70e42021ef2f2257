"""Building the shipped model from its published weights, so that anyone can see where it is from.

Needs the extra ``models`` (onnx). Nothing here is loaded when cameras are watched.
"""
