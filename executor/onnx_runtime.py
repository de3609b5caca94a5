"""onnxruntime, imported with its telemetry off. Everything of ours that needs onnxruntime takes it from here.

From 1.29 its Linux builds send events about sessions, with hashes of graph and weights among them, to
their maker unless this variable is set before the import. A hash of plain weights lets anyone who guesses
a row check the guess, so it may not leave this machine. `onnxruntime.disable_telemetry_events()` would
come too late: the import has already made a device id by then.
"""

import os

VARIABLE = "ORT_DISABLE_TELEMETRY"
os.environ[VARIABLE] = "1"

import onnxruntime  # noqa: E402

__all__ = ["VARIABLE", "onnxruntime"]
