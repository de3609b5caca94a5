"""What the chain keeps of an account, and the accounts that pallets own."""

from __future__ import annotations

from typing import Final

from primitives.scale import U32, U128, Struct, changer

NEW_LOGIC: Final = 1 << 127
"""The flag that every account of today's balances carries (`pallet_balances::types::ExtraFlags`)."""


class AccountData(Struct, path="pallet_balances::types::AccountData"):
    """The balances of an account, in the smallest unit. It stands in `System.Account` beside the nonce."""

    free: U128
    """What the account can spend, up to what is frozen."""
    reserved: U128
    """What holds and reserves keep apart."""
    frozen: U128
    """The part of free + reserved that must not leave."""
    flags: U128


class AccountInfo(Struct, path="frame_system::AccountInfo"):
    """Nonce, reference counts and balances of an account."""

    nonce: U32
    consumers: U32
    providers: U32
    sufficients: U32
    data: AccountData


NO_DATA: Final = AccountData(free=0, reserved=0, frozen=0, flags=NEW_LOGIC)
NO_ACCOUNT: Final = AccountInfo(nonce=0, consumers=0, providers=0, sufficients=0, data=NO_DATA)


with_data: Final = changer(AccountInfo, "data")
"""The same account with other balances."""
with_free: Final = changer(AccountData, "free")
"""The same balances with another free one."""


def pallet_account(name: bytes, sub: bytes = b"") -> bytes:
    """The account of a pallet, for which nobody has a key: `modl` ‖ eight bytes of name ‖ sub-account,
    zero-padded.

    As `PalletId::into_account_truncating` (`sp_runtime::traits::AccountIdConversion`).
    """
    if len(name) != 8:
        raise ValueError(f"a pallet account's name has 8 bytes, not {len(name)}")
    return (b"modl" + name + sub).ljust(32, b"\0")[:32]
