"""Makes mlpclassifier.*, keras.* and keras_*.*, also for tests/executor/test_training_models.py: run it by hand.

    python tests/data/torch_traces/other_frameworks.py sklearn     # scikit-learn 1.9, skl2onnx 1.20, PyTorch 2.13
    python tests/data/torch_traces/other_frameworks.py keras       # TensorFlow 2.21, Keras 3.15, tf2onnx 1.17
    python tests/data/torch_traces/other_frameworks.py keras_gru   # and keras_attention, keras_images

scikit-learn's network is fitted a little, converted, cut where its logits are (behind lie softmax and the choice of a
label), and trained on by PyTorch from the same weights; Keras trains its own model. Written as by models.py.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

HERE = Path(__file__).parent
ROWS, BATCH, EPOCHS = 26, 8, 3


def rows(features: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    return rng.standard_normal((ROWS, features), dtype=np.float32), rng.integers(0, classes, ROWS)


def keras() -> None:
    """A dense Keras classifier, trained by Keras with SGD and momentum, batch by batch."""
    import tensorflow as tf
    import tf2onnx

    tf.keras.utils.set_random_seed(1)
    bias = {"bias_initializer": "random_normal"}  # zeros would be left out of the ONNX file
    model = tf.keras.Sequential([
        tf.keras.layers.Input((8, 8, 1), name="x"),
        tf.keras.layers.Conv2D(4, 3, activation="relu", padding="same", **bias),
        tf.keras.layers.MaxPooling2D(),
        tf.keras.layers.Flatten(),
        tf.keras.layers.Dense(10, activation="tanh", **bias),
        tf.keras.layers.Dense(4, **bias),
    ])  # fmt: skip
    x, target = rows(64, 4)
    trace("keras", model, x.reshape(ROWS, 8, 8, 1), target)


def keras_gru() -> None:
    """Words, zeros at the end left out by a mask: a loop over the steps, in which a row keeps its state."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(2)
    model = tf.keras.Sequential([
        tf.keras.layers.Input((6,), dtype="int32", name="x"),
        tf.keras.layers.Embedding(11, 4, mask_zero=True),
        tf.keras.layers.GRU(5, bias_initializer="random_normal"),
        tf.keras.layers.Dense(1, bias_initializer="random_normal"),
    ])  # fmt: skip
    trace("keras_gru", model, words(), rows(1, 2)[0], "mse")


def keras_attention() -> None:
    """Two heads as Einsum, and a layer normalisation."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(3)
    layers, bias = tf.keras.layers, {"bias_initializer": "random_normal"}
    entry = layers.Input((6,), dtype="int32", name="x")
    word = layers.Embedding(11, 8)(entry)
    seen = layers.Add()([word, layers.MultiHeadAttention(2, 3, **bias)(word, word)])
    known = layers.LayerNormalization(beta_initializer="random_normal", gamma_initializer="random_normal")(seen)
    pooled = layers.GlobalAveragePooling1D()(layers.Dense(7, activation="silu", **bias)(known))
    trace("keras_attention", tf.keras.Model(entry, layers.Dense(4, **bias)(pooled)), words(), rows(1, 4)[1])


def keras_images() -> None:
    """Channels last: separable and strided convolutions, a layer normalisation over channels, pooling of all places."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(4)
    layers, bias = tf.keras.layers, {"bias_initializer": "random_normal"}
    entry = layers.Input((8, 8, 1), name="x")
    y = layers.Conv2D(4, 3, padding="same", activation="swish", **bias)(entry)
    y = layers.SeparableConv2D(5, 3, strides=2, padding="same", **bias)(y)
    y = layers.LayerNormalization(beta_initializer="random_normal", gamma_initializer="random_normal")(y)
    y = layers.UpSampling2D()(layers.AveragePooling2D(2)(y))
    y = layers.GlobalAveragePooling2D()(layers.Conv2D(6, 3, activation="relu", **bias)(y))
    x, target = rows(64, 4)
    trace("keras_images", tf.keras.Model(entry, layers.Dense(4, **bias)(y)), x.reshape(ROWS, 8, 8, 1), target)


def words() -> np.ndarray:
    """Six of ten words a row, zeros behind the last."""
    rng = np.random.default_rng(8)
    found = rng.integers(1, 11, (ROWS, 6)).astype(np.int32)
    found[np.arange(6) >= rng.integers(2, 7, (ROWS, 1))] = 0
    return found


def trace(name, model, x, target, rule="classes") -> None:
    """Convert, and train by Keras with SGD and momentum, batch by batch."""
    import tensorflow as tf
    import tf2onnx

    signature = [tf.TensorSpec((None, *x.shape[1:]), x.dtype, name="x")]
    proto, _ = tf2onnx.convert.from_function(tf.function(lambda x: model(x)), signature, opset=17)
    for node in proto.graph.node:
        node.ClearField("doc_string")
    onnx.save(proto, HERE / f"{name}.tf2onnx.onnx")
    start = [value.numpy() for value in model.trainable_variables]
    optimizer, losses = tf.keras.optimizers.SGD(0.05, momentum=0.9), []
    rules = {
        "classes": tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        "mse": tf.keras.losses.MeanSquaredError(),
    }
    for _ in range(EPOCHS):
        for first in range(0, ROWS, BATCH):
            with tf.GradientTape() as tape:
                loss = rules[rule](target[first : first + BATCH], model(x[first : first + BATCH], training=True))
            optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
            losses.append(float(loss))
    end = [value.numpy() for value in model.trainable_variables]
    save(name, "tf2onnx", x, target, losses, proto, start, end)


def sklearn() -> None:
    """MLPClassifier, converted by skl2onnx; PyTorch trains on."""
    import torch
    from skl2onnx import to_onnx
    from skl2onnx.helpers.onnx_helper import select_model_inputs_outputs
    from sklearn.neural_network import MLPClassifier

    x, target = rows(9, 3)
    model = MLPClassifier((7, 5), activation="relu", max_iter=3, random_state=1).fit(x, target)
    whole = to_onnx(model, x[:1], options={"zipmap": False}, target_opset=17)
    (softmax,) = (node for node in whole.graph.node if node.op_type == "Softmax")
    proto = select_model_inputs_outputs(whole, softmax.input[0])
    onnx.save(proto, HERE / "mlpclassifier.skl2onnx.onnx")
    start = [a.astype(np.float32) for pair in zip(model.coefs_, model.intercepts_) for a in pair]
    weights = [torch.tensor(value, requires_grad=True) for value in start]
    step, losses = torch.optim.Adam(weights, lr=0.01), []
    for _ in range(EPOCHS):
        for first in range(0, ROWS, BATCH):
            y = torch.from_numpy(x[first : first + BATCH])
            for place in range(0, len(weights), 2):
                y = (torch.relu(y) if place else y) @ weights[place] + weights[place + 1]
            loss = torch.nn.functional.cross_entropy(y, torch.from_numpy(target[first : first + BATCH]))
            step.zero_grad()
            loss.backward()
            step.step()
            losses.append(loss.item())
    save("mlpclassifier", "skl2onnx", x, target, losses, proto, start, [value.detach().numpy() for value in weights])


def save(name, exporter, x, target, losses, proto, start, end) -> None:
    """Write the trace; weights are found in the file by their values, up to a transposition."""
    found = {"x": x, "target": target, "losses": np.array(losses)}
    for tensor in proto.graph.initializer:
        array = numpy_helper.to_array(tensor)
        for old, new in zip(start, end):
            orders = [range(old.ndim), range(old.ndim)[::-1], *([(3, 2, 0, 1), (2, 3, 0, 1)] if old.ndim == 4 else [])]
            for axes in orders:
                moved = old.transpose(*axes)
                if moved.size == array.size and np.array_equal(moved.reshape(-1), array.reshape(-1)):
                    found[f"{exporter}:{tensor.name}"] = new.transpose(*axes).reshape(array.shape)
    print(name, [(t.name, list(t.dims)) for t in proto.graph.initializer], sorted(found), {n.op_type for n in proto.graph.node},
          [o.name for o in proto.graph.output], [i.name for i in proto.graph.input])
    np.savez_compressed(HERE / f"{name}.npz", **found)


if __name__ == "__main__":
    makers = (keras, keras_gru, keras_attention, keras_images, sklearn)
    {maker.__name__: maker for maker in makers}[sys.argv[1]]()
