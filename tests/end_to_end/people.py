"""A provider and a buyer with fresh accounts, for tests against a running node."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from dataclasses import replace as replace_settings
from pathlib import Path
from typing import Any

from client import buyer, datasets, jobs
from client.chain import Chain, Signer
from client.keyring import Identity, identity_of
from client.provider import Provider
from client.provider_file import FILE_NAME, read_provider_file, template
from client.provider_secret import create_secret
from client.rpc import Rpc
from primitives.job import JobState, Quote, model_hash
from primitives.scale import replace
from primitives.spec import (
    NUMERICS,
    SPEC_VERSION,
    Affine,
    Init,
    InputMap,
    LossSpec,
    OptimizerSpec,
    Schedule,
    Target,
    TrainingSpec,
    float_bits,
)

GRIST = 10**12
ENDOWMENT = 1000 * GRIST
MODELS = Path(__file__).parents[2] / "examples" / "digits"
ROWS = 60


@dataclass(frozen=True)
class Money:
    """Free and held balance."""

    free: int
    held: int

    @property
    def total(self) -> int:
        return self.free + self.held


class Town:
    """A chain, a provider's data directory, and two rich accounts nobody else uses."""

    def __init__(self, url: str, home: Path, name: str) -> None:
        self.url = url
        self.home = home
        self.chain = Chain(Rpc(url))
        self.provider = identity_of("provider", f"//{name}//provider")
        self.buyer = identity_of("buyer", f"//{name}//buyer")
        self.stranger = identity_of("stranger", f"//{name}//stranger")
        self.endow(self.provider, self.buyer, self.stranger)
        self.data = home / "provider"
        self.provider_name = f"//{name}//provider"
        self.buyer_name = f"//{name}//buyer"

    def endow(self, *people: Identity) -> None:
        """A thousand GRIST each, from Alice."""
        alice = Signer(identity_of("alice", "//Alice").keypair)
        calls = [
            self.chain.call(
                "Balances", "transfer_allow_death", dest={"Id": who.keypair.account_id}, value=ENDOWMENT
            )
            for who in people
        ]
        for call in calls:
            self.chain.submit(alice, call)

    def money(self, who: Identity) -> Money:
        """An account's money as the chain has it."""
        data = self.chain.value("System", "Account", who.keypair.account_id)["data"]
        return Money(int(data["free"]), int(data["reserved"]))

    def signer(self, who: Identity) -> Signer:
        return Signer(who.keypair)

    # --- the provider's side

    def make_rows(self, seed: int = 1) -> Path:
        """A CSV of 8×8 images whose class is visible in one corner."""
        path = self.home / f"rows{seed}.csv"
        draw = random.Random(seed * 1000 + sum(self.provider_name.encode()))
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*(f"pixels[{i}]" for i in range(64)), "label"])
            for i in range(ROWS):
                pixels = [draw.randrange(17) for _ in range(64)]
                pixels[i % 10] = 16
                writer.writerow([*pixels, i % 10])
        return path

    def settle_in(self, *changes: tuple[str, str]) -> Path:
        """The provider's data directory with a policy file (lines replaced as told) and a secret."""
        self.data.mkdir(mode=0o700)
        text = template(self.provider_name, self.make_rows(), ["pixels=1,8,8"], "anyone")
        roomy = ("params_per_row = 100.0", "params_per_row = 1000.0")
        for old, new in [("http://127.0.0.1:9944", self.url), roomy, *changes]:
            assert old in text
            text = text.replace(old, new)
        (self.data / FILE_NAME).write_text(text)
        create_secret(self.data)
        return self.data

    def daemon(self) -> Provider:
        """The daemon's object in this process, its dataset registered and listed."""
        provider = Provider(self.data, read_provider_file(self.data), self.chain, self.provider)
        provider.prepare()
        return provider

    def settings_with_other_rows(self, provider: Provider) -> Provider:
        """The same daemon, but its rows are others: as if the file had changed behind a running job."""
        file = replace_settings(provider.settings.dataset, path=self.make_rows(seed=2))
        settings = replace_settings(provider.settings, dataset=file)
        other = Provider(self.data, settings, self.chain, self.provider)
        other.dataset = provider.dataset
        return other

    def dataset_deposit(self, provider: Provider) -> int:
        """What the chain holds for the dataset's record."""
        assert provider.dataset is not None
        return int(self.chain.value("Datasets", "Datasets", provider.dataset)["deposit"])

    # --- the buyer's side

    def model(self, name: str = "mlp") -> bytes:
        return (MODELS / f"{name}.onnx").read_bytes()

    def spec(self, model: bytes, **changes: Any) -> TrainingSpec:
        """One epoch of SGD on the images; `changes` replace fields."""
        affine = Affine(mean=0, scale=float_bits(1 / 16))
        spec = TrainingSpec(
            version=SPEC_VERSION,
            numerics=NUMERICS,
            model_hash=model_hash(model),
            inputs=[InputMap(column=b"pixels", tensor=b"pixels", affine=affine)],
            target=Target(column=b"label", tensor=b"logits"),
            loss=LossSpec.CrossEntropy(),
            optimizer=OptimizerSpec.Sgd(rate=float_bits(0.1), momentum=float_bits(0.9)),
            schedule=Schedule.Constant(),
            epochs=2,
            batch=16,
            seed=bytes(32),
            init=Init.Beacon(),
            trainable=[],
            dp=None,
            shuffle=True,
            shards=1,
        )
        return replace(spec, **changes)

    def order(self, dataset: int, **changes: Any) -> buyer.Submitted:
        """Quote and submit the usual job."""
        model = self.model()
        spec = self.spec(model, **changes)
        quoted = buyer.quote(self.chain, dataset, model, spec)
        return buyer.submit(self.chain, self.buyer, buyer.Order(model, spec), quoted)

    def order_unquoted(self, dataset: int, model: bytes, work: int = 10**12, **changes: Any) -> int:
        """Submit a job that no honest client would have quoted; its number."""
        spec = self.spec(model, **changes)
        quoted = Quote(
            spec_hash=spec.hash,
            dataset=dataset,
            rows=ROWS,
            numerics=NUMERICS,
            flops=0,
            memory=0,
            work=work,
            fuel=0,
            rho=0,
            price=100 * GRIST,
            expires=0,
        )
        return buyer.submit(self.chain, self.buyer, buyer.Order(model, spec), quoted).job

    def state(self, job: int) -> JobState:
        return JobState(jobs.read(self.chain, job).state)

    def dataset_of(self, provider: Provider) -> int:
        number = datasets.owned_with_root(self.chain, self.provider.keypair.account_id, provider.rows.root)
        assert number is not None
        return number
