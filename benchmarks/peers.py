"""What an ML engineer would run instead of the enclave: PyTorch eager, NumPy by hand, onnxruntime.

One thread each. A peer that is not installed is left out, and said so; `pip install -e '.[bench]'` brings
PyTorch.
"""

import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.models import Case
from executor.onnx_runtime import onnxruntime

RATE = 0.01
Work = Callable[[], object]


def has_torch() -> bool:
    """Whether PyTorch is here."""
    if find_spec("torch"):
        return True
    print("  no PyTorch here: its ratios are left out (pip install -e '.[bench]')", file=sys.stderr)
    return False


def torch_steps(case: Case) -> dict[str, Work]:
    """A training step (forward, backward, SGD) in each memory layout that PyTorch offers for the model."""
    layouts = ("NCHW", "NHWC") if case.images else ("rows",)
    return {layout: _torch_step(case, layout) for layout in layouts}


def _torch_step(case: Case, layout: str) -> Work:
    import torch

    torch.set_num_threads(1)
    form = torch.channels_last if layout == "NHWC" else torch.contiguous_format
    model = case.torch().to(memory_format=form).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    rows, labels = case.rows(case.batch)
    x = torch.from_numpy(rows).to(memory_format=form)
    y = torch.from_numpy(labels.astype(np.int64))

    def step() -> None:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()

    return step


def torch_products(x: Any, weights: list[Any]) -> Work:
    """The chain of products."""
    import torch

    torch.set_num_threads(1)
    first, others = torch.from_numpy(x), [torch.from_numpy(w) for w in weights]

    def run() -> None:
        y = first
        with torch.inference_mode():
            for w in others:
                y = y @ w

    return run


def onnxruntime_forward(model: bytes, x: Any) -> Work | None:
    """One forward pass; None, and said so, where onnxruntime does not take the model."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        session.run(None, {"x": x})
    except Exception as error:  # onnxruntime's own errors have no common class
        print(f"  onnxruntime is left out: {str(error).splitlines()[0][:100]}", file=sys.stderr)
        return None
    return lambda: session.run(None, {"x": x})


def numpy_mlp_step(case: Case) -> Work:
    """64-128-10, ReLU, cross-entropy, SGD, by hand."""
    x, y = case.rows(case.batch)
    random = np.random.default_rng(7)
    w1 = random.uniform(-0.1, 0.1, (64, 128)).astype(np.float32)
    w2 = random.uniform(-0.1, 0.1, (128, 10)).astype(np.float32)
    b1, b2 = np.zeros(128, np.float32), np.zeros(10, np.float32)
    rate, lane = np.float32(RATE / case.batch), np.arange(case.batch)

    def step() -> None:
        hidden = np.maximum(x @ w1 + b1, 0)
        logits = hidden @ w2 + b2
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        gradient = powers / powers.sum(axis=1, keepdims=True)
        gradient[lane, y] -= 1
        back = (gradient @ w2.T) * (hidden > 0)
        w2[:] -= rate * (hidden.T @ gradient)
        b2[:] -= rate * gradient.sum(axis=0)
        w1[:] -= rate * (x.T @ back)
        b1[:] -= rate * back.sum(axis=0)

    return step
