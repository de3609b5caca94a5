"""Operators that are not ONNX's own but come with its exporters, and what to tell the exporter instead.

Sources: tf2onnx 1.17 leaves operators of TensorFlow in the file where it knows no other; skl2onnx 1.20 writes
linear models and scalers as single operators of ai.onnx.ml, with their weights as attributes.
"""

LINEAR = '{"LinearClassifier", "LinearRegressor", "Scaler"}'
WITHOUT = f"skl2onnx writes it with MatMul and Add, if told black_op={LINEAR}"
CUT = "it chooses or names a class: cut the graph where the logits are"
FIXED = "what it was fitted to has no gradient"
DROPS = "it is Dropout as TensorFlow writes it: export Keras models with training=False"
INSTEAD = {
    **dict.fromkeys(("LinearClassifier", "LinearRegressor", "Scaler"), WITHOUT),
    **dict.fromkeys(("ArrayFeatureExtractor", "ZipMap", "Normalizer", "LabelEncoder", "Binarizer"), CUT),
    **dict.fromkeys(("TreeEnsembleClassifier", "TreeEnsembleRegressor", "TreeEnsemble"), FIXED),
    **dict.fromkeys(("SVMClassifier", "SVMRegressor"), FIXED),
    "Erfc": "it is of TensorFlow's exact gelu: take keras.activations.gelu with approximate=True",
    "StatelessRandomUniformV2": DROPS,
    "RandomUniform": DROPS,
}


def instead(op: str) -> str:
    """What follows the refusal of an operator; empty where nothing is known."""
    return f"; {INSTEAD[op]} (docs/training.md)" if op in INSTEAD else ""
