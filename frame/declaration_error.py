"""What is wrong with the declaration of a pallet or a runtime, found when its module is imported."""

from __future__ import annotations


class DeclarationError(TypeError):
    """A pallet or a runtime that cannot be; the sentence names the class, and the member that is to blame."""
