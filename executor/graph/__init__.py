"""Hostile ONNX bytes → a checked, acyclic graph of operators from the table, with static shapes but for the
batch."""
