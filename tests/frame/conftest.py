"""The template runtime on a state in memory."""

from __future__ import annotations

import pytest

from frame.testing import Chain, Externalities, externalities
from tests.frame.template_runtime import ALICE, BOB, Template, TemplateRuntime


@pytest.fixture
def ext() -> Externalities:
    """Block 1; Alice and Bob exist."""
    made = externalities(TemplateRuntime)
    for key in (ALICE, BOB):
        made.machine.system.inc_providers(key.account_id)
    made.clear_events()
    return made


@pytest.fixture
def template(ext: Externalities) -> Template:
    """The running template pallet."""
    return ext.of(TemplateRuntime.template)


@pytest.fixture
def chain() -> Chain:
    """A chain of signed blocks; Alice and Bob exist from genesis."""
    made = Chain(TemplateRuntime())
    machine = made.runtime.machine()
    machine.overlay.reset(made.state)
    for key in (ALICE, BOB):
        machine.system.inc_providers(key.account_id)
    made.state = made.state.after(machine.overlay.delta())
    return made
