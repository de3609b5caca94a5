"""Exports the demo's two models to ONNX with PyTorch, as any ML engineer would.

Run with torch and onnx installed: ``python export_models.py``. Both take float pixels ``[N, 1, 8, 8]`` and
give logits ``[N, 10]``. The initial weights in the files do not matter: a job starts from the chain's beacon.
"""

from pathlib import Path

import torch
from torch import nn

HERE = Path(__file__).parent

MODELS: dict[str, nn.Module] = {
    "mlp": nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)),
    "cnn": nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 10),
    ),
}  # fmt: skip


def export(name: str, model: nn.Module) -> None:
    """Write ``name.onnx`` with a free batch dimension."""
    file = HERE / f"{name}.onnx"
    torch.onnx.export(
        model.eval(),
        (torch.zeros(1, 1, 8, 8),),
        str(file),
        input_names=["pixels"],
        output_names=["logits"],
        dynamic_axes={"pixels": {0: "N"}, "logits": {0: "N"}},
        opset_version=17,
        dynamo=False,
        training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False,
    )
    print(f"{file.name}: {file.stat().st_size} bytes")


if __name__ == "__main__":
    torch.manual_seed(0)
    for model_name, module in MODELS.items():
        export(model_name, module)
