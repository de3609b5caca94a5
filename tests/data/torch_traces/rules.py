"""Makes rules.npz, the reference of tests/executor/test_training_rules.py: run it by hand, with PyTorch.

    python tests/data/torch_traces/rules.py

One small network is trained with every loss, optimizer, schedule and way of clipping. Written for each case: the loss
of every step, and the weights after the last. Made with torch 2.13.
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import lr_scheduler as rate_of

HERE = Path(__file__).parent
ROWS, BATCH, EPOCHS = 44, 8, 3
SIZES = (5, 7, 3)
WEIGHTS = [0.5, 2.0, 1.25]


def data() -> dict[str, np.ndarray]:
    """Rows and a target of each kind; the test reads them from the file."""
    rng = np.random.default_rng(11)
    classes = rng.integers(0, SIZES[-1], ROWS)
    shares = rng.random((ROWS, SIZES[-1]), dtype=np.float32)
    shares[:6, 0] = 0
    shares /= shares.sum(axis=1, keepdims=True)
    return {
        "x": rng.standard_normal((ROWS, SIZES[0]), dtype=np.float32),
        "classes": classes,
        "holes": np.where(rng.random(ROWS) < 0.25, -100, classes),
        "flags": rng.integers(0, 2, (ROWS, SIZES[-1])).astype(np.float32),
        "shares": shares,
        "numbers": 2 * rng.standard_normal((ROWS, SIZES[-1]), dtype=np.float32),
    }


def weight() -> torch.Tensor:
    return torch.tensor(WEIGHTS)


LOSSES = {
    "cross_entropy": ("classes", lambda: nn.CrossEntropyLoss()),
    "class_weights": ("classes", lambda: nn.CrossEntropyLoss(weight=weight())),
    "ignore_index": ("holes", lambda: nn.CrossEntropyLoss(ignore_index=-100)),
    "smoothing": ("classes", lambda: nn.CrossEntropyLoss(label_smoothing=0.1)),
    "all_options": ("holes", lambda: nn.CrossEntropyLoss(weight=weight(), ignore_index=-100, label_smoothing=0.2)),
    "probabilities": ("shares", lambda: nn.CrossEntropyLoss()),
    "probabilities_weighted": ("shares", lambda: nn.CrossEntropyLoss(weight=weight(), label_smoothing=0.1)),
    "bce": ("flags", lambda: nn.BCEWithLogitsLoss()),
    "bce_weight": ("flags", lambda: nn.BCEWithLogitsLoss(pos_weight=torch.tensor([3.0]))),
    "bce_weights": ("flags", lambda: nn.BCEWithLogitsLoss(pos_weight=weight())),
    "mse": ("numbers", lambda: nn.MSELoss()),
    "mae": ("numbers", lambda: nn.L1Loss()),
    "huber": ("numbers", lambda: nn.HuberLoss(delta=0.8)),
    "smooth_l1": ("numbers", lambda: nn.SmoothL1Loss(beta=1.5)),
    "kl": ("shares", lambda: lambda y, t: F.kl_div(F.log_softmax(y, 1), t, reduction="batchmean")),
    "kl_log": ("numbers", lambda: lambda y, t: F.kl_div(F.log_softmax(y, 1), t - 3, reduction="batchmean", log_target=True)),
}
OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "dampening": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.3, weight_decay=0.01),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.8, nesterov=True, weight_decay=0.02),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "adam_options": lambda p: torch.optim.Adam(p, lr=0.02, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.05, amsgrad=True),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01),
    "adamw_amsgrad": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1, amsgrad=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.005),
    "rmsprop_options": lambda p: torch.optim.RMSprop(
        p, lr=0.005, alpha=0.9, eps=1e-7, weight_decay=0.03, momentum=0.6, centered=True
    ),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.05),
    "adagrad_options": lambda p: torch.optim.Adagrad(
        p, lr=0.05, lr_decay=0.02, weight_decay=0.01, initial_accumulator_value=0.1, eps=1e-8
    ),
}


def after(optimizer, ticks, start, other):
    """A warm-up, then another schedule."""
    first = rate_of.LinearLR(optimizer, start_factor=start, total_iters=ticks)
    return rate_of.SequentialLR(optimizer, [first, other], milestones=[ticks])


SCHEDULES = {
    "step": ("epoch", lambda o: rate_of.StepLR(o, step_size=2, gamma=0.5)),
    "step_by_step": ("step", lambda o: rate_of.StepLR(o, step_size=3, gamma=0.7)),
    "cosine": ("step", lambda o: rate_of.CosineAnnealingLR(o, T_max=11, eta_min=0.01)),
    "cosine_epochs": ("epoch", lambda o: rate_of.CosineAnnealingLR(o, T_max=3)),
    "warm": ("step", lambda o: rate_of.LinearLR(o, start_factor=0.25, total_iters=6)),
    "warm_cosine": ("step", lambda o: after(o, 5, 0.1, rate_of.CosineAnnealingLR(o, T_max=13))),
    "warm_step": ("step", lambda o: after(o, 4, 0.2, rate_of.StepLR(o, step_size=5, gamma=0.3))),
}
CLIPS = {
    "clip_norm": lambda p: nn.utils.clip_grad_norm_(p, 0.3),
    "clip_value": lambda p: nn.utils.clip_grad_value_(p, 0.02),
}


def cases():
    """(name, loss, optimizer, schedule, clip) of each run."""
    for loss in LOSSES:
        yield f"loss.{loss}", loss, "momentum", None, None
    for optimizer in OPTIMIZERS:
        yield f"optimizer.{optimizer}", "cross_entropy", optimizer, None, None
    for schedule in SCHEDULES:
        yield f"schedule.{schedule}", "cross_entropy", "momentum", schedule, None
    for optimizer in ("adam_options", "adamw", "rmsprop_options", "adagrad_options", "dampening"):
        yield f"schedule.{optimizer}", "cross_entropy", optimizer, "warm_cosine", None
    for clip in CLIPS:
        yield f"clip.{clip}", "mse", "adam", None, clip
        yield f"clip.sgd_{clip}", "cross_entropy", "sgd", None, clip


def main() -> None:
    """Write everything."""
    torch.manual_seed(5)
    first = nn.Sequential(nn.Linear(*SIZES[:2]), nn.Tanh(), nn.Linear(*SIZES[1:])).state_dict()
    rows = data()
    found = {f"data.{name}": value for name, value in rows.items()}
    found |= {f"start.{name}": value.numpy().copy() for name, value in first.items()}
    x = torch.from_numpy(rows["x"])
    for name, loss, optimizer, schedule, clip in cases():
        model = nn.Sequential(nn.Linear(*SIZES[:2]), nn.Tanh(), nn.Linear(*SIZES[1:]))
        model.load_state_dict(first)
        kind, rule = LOSSES[loss][0], LOSSES[loss][1]()
        target = torch.from_numpy(rows[kind])
        step = OPTIMIZERS[optimizer](model.parameters())
        tick, plan = SCHEDULES[schedule] if schedule else ("step", lambda o: rate_of.LambdaLR(o, lambda _: 1.0))
        rates = plan(step)
        losses = []
        for _ in range(EPOCHS):
            for row in range(0, ROWS, BATCH):
                step.zero_grad()
                value = rule(model(x[row : row + BATCH]), target[row : row + BATCH])
                value.backward()
                if clip:
                    CLIPS[clip](model.parameters())
                step.step()
                losses.append(value.item())
                if tick == "step":
                    rates.step()
            if tick == "epoch":
                rates.step()
        found[f"{name}.losses"] = np.array(losses)
        found |= {f"{name}.{key}": value.detach().numpy().copy() for key, value in model.named_parameters()}
    np.savez_compressed(HERE / "rules.npz", **found)


if __name__ == "__main__":
    main()
