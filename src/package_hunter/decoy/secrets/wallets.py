"""Wallets: Exodus, Electrum, Solana, MetaMask."""

from __future__ import annotations

import base64
import json
import secrets

from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from package_hunter.decoy.forge import Forge, random_text

_METAMASK = (
    ".config/google-chrome/Default/Local Extension Settings/nkbihfbeogaeaoehlefnkodbefgpgknn/000003.log"
)


def make(forge: Forge) -> None:
    _solana(forge)
    seed = forge.canary("exodus-wallet", ".config/Exodus/exodus.wallet/seed.seco", random_text(180))
    forge.file(".config/Exodus/exodus.wallet/seed.seco", b"SECO\0\0\0\0" + seed.encode(), 0o600)
    forge.file(
        ".config/Exodus/exodus.wallet/passphrase.json", json.dumps({"passphrase": random_text(44)}), 0o600
    )
    path = ".electrum/wallets/default_wallet"
    key = forge.canary("electrum-wallet", path, "xprv" + random_text(107, _BASE58))
    wallet = {"keystore": {"type": "bip32", "xprv": key, "pw_hash_version": 1}, "wallet_type": "standard",
              "seed_version": 59, "use_encryption": False}  # fmt: skip
    forge.file(path, json.dumps(wallet, indent=4), 0o600)
    _metamask(forge)


_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def _solana(forge: Forge) -> None:
    key = Ed25519PrivateKey.generate()
    raw = key.private_bytes(form.Encoding.Raw, form.PrivateFormat.Raw, form.NoEncryption())
    raw += key.public_key().public_bytes(form.Encoding.Raw, form.PublicFormat.Raw)
    text = json.dumps(list(raw), separators=(",", ":"))
    forge.canary("solana-wallet", ".config/solana/id.json", text)
    forge.file(".config/solana/id.json", text, 0o600)


def _metamask(forge: Forge) -> None:
    data = forge.canary("metamask-vault", _METAMASK, base64.b64encode(secrets.token_bytes(420)).decode())
    vault = {"data": data, "iv": base64.b64encode(secrets.token_bytes(16)).decode(),
             "keyMetadata": {"algorithm": "PBKDF2", "params": {"iterations": 900000}},
             "salt": base64.b64encode(secrets.token_bytes(32)).decode()}  # fmt: skip
    record = b'\x04data{"KeyringController":{"vault":' + json.dumps(json.dumps(vault)).encode() + b"}}"
    head = (
        secrets.token_bytes(4) + min(len(record), 65_535).to_bytes(2, "little") + b"\x01"
    )  # LevelDB log record
    forge.file(_METAMASK, head + record, 0o600, days=4)
