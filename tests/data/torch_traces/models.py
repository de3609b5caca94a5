"""Makes the reference of tests/executor/test_training_models.py: run it by hand, with PyTorch and onnxscript.

    python tests/data/torch_traces/models.py [NAME …]

Each model is exported by PyTorch's TorchScript exporter and by the newer one (dynamo), then trained step by step on
seeded data. Written: `<name>.<exporter>.onnx` (weights as at the start), and `<name>.npz` with rows, the loss of
every step and, under the names that each exporter gives them, parameters and running statistics after the last.
Every weight starts as another number, so a weight is found in the ONNX file by its value, however the exporter folds,
cuts or transposes it. Made with torch 2.13, onnx 1.22, onnxscript 0.7.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

HERE = Path(__file__).parent
ROWS, BATCH, EPOCHS = 26, 8, 3


class Residual(nn.Module):
    """A basic block of ResNet."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.one, self.norm1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.two, self.norm2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.short, self.norm3 = nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)

    def forward(self, x):
        y = self.norm2(self.two(torch.relu(self.norm1(self.one(x)))))
        return torch.relu(y + self.norm3(self.short(x)))


class ResNet(nn.Module):
    """ResNet with two blocks, batch normalisation in training."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(2, 4, 3, 1, 1, bias=False), nn.BatchNorm2d(4)
        self.blocks = nn.Sequential(Residual(4, 4, 1), Residual(4, 8, 2))
        self.last = nn.Linear(8, 5)

    def forward(self, x):
        x = self.blocks(F.max_pool2d(torch.relu(self.norm(self.stem(x))), 2))
        return self.last(F.adaptive_avg_pool2d(x, 1).flatten(1))


def folded() -> nn.Module:
    """The same net with every normalisation folded into its convolution, as the dynamo exporter does."""
    model = ResNet().eval()
    for owner in model.modules():
        for conv, norm in (("stem", "norm"), ("one", "norm1"), ("two", "norm2"), ("short", "norm3")):
            if hasattr(owner, conv):
                setattr(owner, conv, fuse_conv_bn_eval(getattr(owner, conv), getattr(owner, norm)))
                setattr(owner, norm, nn.Identity())
    return model.requires_grad_(True)  # fusing leaves the new biases frozen


class Recurrent(nn.Module):
    """A sequence classifier on the last state."""

    def __init__(self, kind: type[nn.RNNBase], both: bool = False) -> None:
        super().__init__()
        self.cell = kind(5, 7, batch_first=True, bidirectional=both)
        self.last = nn.Linear(14 if both else 7, 4)

    def forward(self, x):
        return self.last(self.cell(x)[0][:, -1])


class Transformer(nn.Module):
    """One encoder layer over tokens with learned places."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.places = nn.Embedding(23, 8), nn.Parameter(torch.randn(6, 8) * 0.1)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True, activation="gelu")
        self.last = nn.Linear(8, 4)

    def forward(self, x):
        return self.last(self.layer(self.embed(x) + self.places).mean(1))


class Bag(nn.Module):
    """A text classifier: mean of embeddings, one hidden layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.hidden, self.last = nn.Embedding(23, 6), nn.Linear(6, 9), nn.Linear(9, 4)

    def forward(self, x):
        return self.last(torch.tanh(self.hidden(self.embed(x).mean(1))))


class Autoencoder(nn.Module):
    """A convolutional autoencoder that learns to give its own input."""

    def __init__(self) -> None:
        super().__init__()
        self.down1, self.down2 = nn.Conv2d(1, 4, 3, 2, 1), nn.Conv2d(4, 6, 3, 2, 1)
        self.up1 = nn.ConvTranspose2d(6, 4, 3, 2, 1, output_padding=1)
        self.up2 = nn.ConvTranspose2d(4, 1, 3, 2, 1, output_padding=1)

    def forward(self, x):
        x = torch.relu(self.down2(torch.relu(self.down1(x))))
        return torch.sigmoid(self.up2(torch.relu(self.up1(x))))


class Decoder(nn.Module):
    """A block of a decoder with rotary places (buffers), a written-out norm, causal attention, a gated layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.gain = nn.Embedding(23, 8), nn.Parameter(torch.ones(8))
        self.qkv, self.out = nn.Linear(8, 24), nn.Linear(8, 8, bias=False)
        self.gate, self.up, self.down = (nn.Linear(a, b, bias=False) for a, b in ((8, 12), (8, 12), (12, 8)))
        self.last = nn.Linear(8, 4)
        angles = torch.outer(torch.arange(6), 10000 ** (-torch.arange(0, 4, 2) / 4)).repeat(1, 2)
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def norm(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.gain

    def turned(self, x):
        a, b = x.chunk(2, -1)
        return x * self.cos + torch.cat([-b, a], -1) * self.sin

    def forward(self, x):
        x = self.embed(x)
        rows, steps, _ = x.shape
        q, k, v = (z.view(rows, steps, 2, 4).transpose(1, 2) for z in self.qkv(self.norm(x)).split(8, dim=2))
        y = F.scaled_dot_product_attention(self.turned(q), self.turned(k), v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(rows, steps, 8))
        y = self.norm(x)
        return self.last((x + self.down(F.silu(self.gate(y)) * self.up(y)))[:, -1])


class Vit(nn.Module):
    """A vision transformer: patches by a convolution, a class token, one layer that normalises first."""

    def __init__(self) -> None:
        super().__init__()
        self.patch, self.token = nn.Conv2d(2, 8, 4, 4), nn.Parameter(torch.randn(1, 1, 8))
        self.places = nn.Parameter(torch.randn(1, 10, 8) * 0.1)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, 0.0, "gelu", batch_first=True, norm_first=True)
        self.last = nn.Linear(8, 5)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.places
        return self.last(self.layer(x)[:, 0])


class Unet(nn.Module):
    """Down and up again beside a skip connection; group and instance normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.instance = nn.Conv2d(1, 4, 3, padding=1), nn.InstanceNorm2d(4, affine=True)
        self.two, self.group = nn.Conv2d(4, 8, 3, padding=1), nn.GroupNorm(2, 8)
        self.wide, self.last = nn.Conv2d(8, 4, 1), nn.Conv2d(8, 1, 3, padding=1)

    def forward(self, x):
        x = F.leaky_relu(self.instance(self.one(x)), 0.1)
        y = F.elu(self.group(self.two(F.max_pool2d(x, 2))))
        y = F.interpolate(self.wide(y), size=x.shape[-2:], mode="bilinear", align_corners=False)
        return torch.sigmoid(self.last(torch.cat([x, y], 1)))


class DenseAutoencoder(nn.Sequential):
    """An autoencoder of dense layers."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(12, 6), nn.ReLU(), nn.Linear(6, 3), nn.ReLU(), nn.Linear(3, 6), nn.ReLU(),
                         nn.Linear(6, 12))  # fmt: skip


def sgd(rate, momentum=0.0):
    return lambda p: torch.optim.SGD(p, lr=rate, momentum=momentum)


def adam(rate):
    return lambda p: torch.optim.Adam(p, lr=rate)


IMAGE, TOKENS = (2, 12, 12), (6,)
MODELS = {
    "resnet": (ResNet, IMAGE, "class", 5, sgd(0.05, 0.9)),
    "resnet_folded": (folded, IMAGE, "class", 5, sgd(0.05, 0.9)),
    "lstm": (lambda: Recurrent(nn.LSTM), (6, 5), "class", 4, adam(0.01)),
    "bilstm": (lambda: Recurrent(nn.LSTM, True), (6, 5), "class", 4, adam(0.01)),
    "gru": (lambda: Recurrent(nn.GRU), (6, 5), "class", 4, adam(0.01)),
    "rnn": (lambda: Recurrent(nn.RNN), (6, 5), "class", 4, adam(0.01)),
    "transformer": (Transformer, TOKENS, "class", 4, lambda p: torch.optim.AdamW(p, lr=0.005)),
    "embedding": (Bag, TOKENS, "class", 4, adam(0.02)),
    "autoencoder": (Autoencoder, (1, 8, 8), "itself", 0, adam(0.01)),
    "dense_autoencoder": (DenseAutoencoder, (12,), "itself", 0, adam(0.01)),
    "decoder": (Decoder, TOKENS, "class", 4, sgd(0.1, 0.9)),
    "vit": (Vit, IMAGE, "class", 5, sgd(0.05, 0.9)),
    "unet": (Unet, (1, 8, 8), "itself", 0, sgd(0.5, 0.9)),
    "logistic": (lambda: nn.Linear(9, 1), (9,), "flag", 0, sgd(0.5)),
}
RULES = {"class": nn.CrossEntropyLoss(), "itself": nn.MSELoss(), "flag": nn.BCEWithLogitsLoss()}


def spread(model: nn.Module) -> None:
    """Give every parameter and running statistic another number."""
    generator, seen = torch.Generator().manual_seed(3), set()
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if not tensor.is_floating_point():
                continue
            tensor += 0.05 * torch.rand(tensor.shape, generator=generator) * (1 if "var" in name else torch.randn(1).sign())
            flat = tensor.view(-1)
            for place in range(len(flat)):
                while flat[place].item() in seen:
                    flat[place] = flat[place] * 1.0001 + 1e-5
                seen.add(flat[place].item())


def rows(features, kind, classes):
    """Rows and targets."""
    rng = np.random.default_rng(7)
    tokens = features == TOKENS
    x = rng.integers(0, 23, (ROWS, *features)) if tokens else rng.standard_normal((ROWS, *features), dtype=np.float32)
    if kind == "class":
        return x, rng.integers(0, classes, ROWS)
    if kind == "flag":
        return x, rng.integers(0, 2, (ROWS, 1)).astype(np.float32)
    x = 1 / (1 + np.exp(-x))
    return x.astype(np.float32), x.astype(np.float32)


def export(model: nn.Module, state: dict, example: torch.Tensor, name: str, exporter: str) -> bytes:
    """The ONNX file, as a model that is trained."""
    path = HERE / f"{name}.{exporter}.onnx"
    if exporter == "torchscript":
        torch.onnx.export(
            model, (example,), path, dynamo=False, input_names=["x"], output_names=["y"],
            dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}}, opset_version=17,
            training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False,
        )  # fmt: skip
    else:
        torch.onnx.export(
            model, (example,), path, dynamo=True, input_names=["x"], output_names=["y"],
            dynamic_shapes=({0: torch.export.Dim("batch", min=2)},), external_data=False,
        )  # fmt: skip
    proto = onnx.load(path)
    for tensor in proto.graph.initializer:  # exporting ran the model, which moved its running statistics
        if "running" in tensor.name:
            tensor.CopyFrom(numpy_helper.from_array(state[tensor.name].numpy(), tensor.name))
    for node in proto.graph.node:
        node.ClearField("doc_string")
        del node.metadata_props[:]
    for value in [*proto.graph.value_info, *proto.graph.input, *proto.graph.output, *proto.graph.initializer]:
        del value.metadata_props[:]
    del proto.graph.value_info[:]
    said = [item for item in proto.graph.metadata_props if item.key.endswith("graph_signature")]
    kept = [onnx.StringStringEntryProto(key=item.key, value=item.value) for item in said]
    del proto.graph.metadata_props[:]
    proto.graph.metadata_props.extend(kept)
    onnx.save(proto, path)
    return path.read_bytes()


def renamed(data: bytes, start: dict[float, tuple[str, int]], end: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Final values of the file's float initialisers, found by the values at the start."""
    found = {}
    for tensor in onnx.load_from_string(data).graph.initializer:
        array = numpy_helper.to_array(tensor)
        places = [start.get(value) for value in array.reshape(-1).tolist()] if array.dtype == np.float32 else [None]
        if all(places) and array.size:
            found[tensor.name] = np.array([end[key][place] for key, place in places], np.float32).reshape(array.shape)
    return found


def make(name: str) -> None:
    """Write one model's files."""
    kind, features, what, classes, optimizer = MODELS[name]
    torch.manual_seed(1)
    model = kind().train()
    spread(model)
    x, target = rows(features, what, classes)
    files = {}
    state = {key: value.clone() for key, value in model.state_dict().items()}
    # The dynamo exporter folds normalisations, so what it makes of the first net is the second.
    for exporter in ("torchscript",) if name == "resnet" else ("torchscript", "dynamo"):
        files[exporter] = export(model, state, torch.from_numpy(x[:3]), name, exporter)
        model.load_state_dict(state)
    trained = {key for key, _ in model.named_parameters()} | {key for key in state if key.endswith(("mean", "var"))}
    start = {
        value: (key, place)
        for key, tensor in model.state_dict().items() if key in trained
        for place, value in enumerate(tensor.reshape(-1).tolist())
    }  # fmt: skip
    step, losses = optimizer(model.parameters()), []
    for _ in range(EPOCHS):
        for first in range(0, ROWS, BATCH):
            step.zero_grad()
            loss = RULES[what](model(torch.from_numpy(x[first : first + BATCH])), torch.from_numpy(target[first : first + BATCH]))
            loss.backward()
            step.step()
            losses.append(loss.item())
    end = {key: value.numpy().reshape(-1) for key, value in model.state_dict().items()}
    found = {"x": x, "target": target, "losses": np.array(losses)}
    for exporter, data in files.items():
        found |= {f"{exporter}:{key}": value for key, value in renamed(data, start, end).items()}
    total = sum(value.numel() for value in model.state_dict().values() if value.is_floating_point())
    for exporter, data in files.items():
        held = sum(value.size for key, value in found.items() if key.startswith(exporter))
        nodes = sorted({node.op_type for node in onnx.load_from_string(data).graph.node})
        print(f"{name}.{exporter}: {held} of {total} numbers found; {' '.join(nodes)}")
    np.savez_compressed(HERE / f"{name}.npz", **found)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for chosen in sys.argv[1:] or MODELS:
        make(chosen)
