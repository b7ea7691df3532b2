"""Keys of encrypted recordings: one for each, wrapped by a master key. The door to cryptography.

AES-256-GCM (NIST SP 800-38D) throughout, HKDF-SHA256 (RFC 5869) between key and file.
"""

import base64
import binascii
import contextlib
import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from opensip.errors import ConfigError, MediaError
from opensip.media.recording_file import open_private, write_at

KEY_SIZE = 32  # bytes: AES-256
VERSION = 1  # of the key files
_NONCE_SIZE = 12
_USE = b"opensip recording, key wrap 1: "


class Cipher:
    """Seals chunk after chunk of one file, under a key that no other file has.

    A nonce is the number of its chunk: the key is derived from the file's own `salt`.
    """

    def __init__(self, data_key: bytes, salt: bytes) -> None:
        derived = HKDF(SHA256(), KEY_SIZE, salt, b"opensip recording, file 1").derive(data_key)
        self._aead = AESGCM(derived)

    def seal(self, number: int, chunk: bytes, bound: bytes) -> bytes:
        """Encrypt a chunk; `bound` is authenticated with it."""
        return self._aead.encrypt(number.to_bytes(_NONCE_SIZE, "big"), chunk, bound)

    def open(self, number: int, sealed: bytes, bound: bytes) -> bytes:
        """Decrypt a chunk; raises MediaError where it is not what was sealed."""
        try:
            return self._aead.decrypt(number.to_bytes(_NONCE_SIZE, "big"), sealed, bound)
        except InvalidTag:
            raise MediaError(f"chunk {number} is not what was written: damaged or forged") from None


@dataclass(frozen=True, slots=True)
class MasterKey:
    """A key that wraps others. `name` tells it from others and says nothing of it."""

    key: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """16 hexadecimal digits."""
        return hashlib.sha256(b"opensip master key: " + self.key).hexdigest()[:16]

    @classmethod
    def parse(cls, text: str) -> "MasterKey":
        """Read 32 bytes in hexadecimal or base64; raises ConfigError, which never repeats it."""
        key = b""
        if re.fullmatch(rf"[0-9A-Fa-f]{{{2 * KEY_SIZE}}}", text):
            key = bytes.fromhex(text)
        else:
            with contextlib.suppress(binascii.Error, ValueError):
                key = base64.b64decode(text, validate=True)
        if len(key) != KEY_SIZE:
            raise ConfigError(
                f"no master key: {KEY_SIZE} random bytes in hexadecimal or base64 are wanted, as "
                f"`openssl rand -hex {KEY_SIZE}` prints them"
            )
        return cls(key)

    def wrap(self, data_key: bytes, call_id: str) -> bytes:
        """Encrypt the key of one call's recording."""
        nonce = os.urandom(_NONCE_SIZE)
        return nonce + AESGCM(self.key).encrypt(nonce, data_key, _USE + call_id.encode())

    def unwrap(self, wrapped: bytes, call_id: str) -> bytes:
        """Decrypt the key of one call's recording; raises MediaError."""
        nonce, sealed = wrapped[:_NONCE_SIZE], wrapped[_NONCE_SIZE:]
        try:
            return AESGCM(self.key).decrypt(nonce, sealed, _USE + call_id.encode())
        except (InvalidTag, ValueError):
            raise MediaError(
                f"the key of {call_id} is damaged, or was written for another call"
            ) from None


class KeyFolder:
    """The wrapped keys under `folder`, one file a call. The first of `masters` wraps new ones.

    The others open what earlier master keys wrapped.
    """

    def __init__(self, folder: Path, masters: Sequence[MasterKey]) -> None:
        self._folder = folder
        self._masters = tuple(masters)

    @property
    def seals(self) -> bool:
        """Whether new recordings are encrypted."""
        return bool(self._masters)

    def path(self, call_id: str) -> Path:
        """Tell where the key of a call lies."""
        return self._folder / f"{call_id}.key"

    def create(self, call_id: str) -> bytes:
        """Make the key of a call's recording; on return it is on disk, wrapped. Raises OSError."""
        master, key = self._masters[0], os.urandom(KEY_SIZE)
        entry = {
            "version": VERSION,
            "call_id": call_id,
            "master": master.name,
            "wrapped": base64.b64encode(master.wrap(key, call_id)).decode(),
        }
        is_first = not self._folder.exists()
        file = open_private(self.path(call_id))
        try:
            write_at(file, 0, (json.dumps(entry) + "\n").encode())
            os.fsync(file)  # without it all that is recorded from now on is lost
        except OSError:
            self.path(call_id).unlink(missing_ok=True)
            raise
        finally:
            os.close(file)
        _sync(self._folder)
        if is_first:
            _sync(self._folder.parent)
        return key

    def read(self, call_id: str) -> bytes:
        """Give the key of a call's recording. Raises MediaError, ConfigError."""
        path = self.path(call_id)
        try:
            entry = json.loads(path.read_text(encoding="utf-8"))
            name, wrapped = str(entry["master"]), base64.b64decode(entry["wrapped"])
        except FileNotFoundError:
            raise MediaError(
                f"there is no key {path}: the recording was erased, or its key was not restored"
            ) from None
        except OSError as error:
            raise MediaError(f"the key {path} cannot be read: {error.strerror}") from error
        except (ValueError, LookupError, TypeError) as error:
            raise MediaError(f"{path} is no key of a recording: damaged") from error
        for master in self._masters:
            if master.name == name:
                return master.unwrap(wrapped, call_id)
        raise ConfigError(
            f"the key of {call_id} is wrapped by the master key {name}, which is not configured: "
            "set [recording] key, or add it to old_keys"
        )

    def erase(self, call_id: str) -> bool:
        """Overwrite and remove the key of a call's recording; False: there is none. OSError."""
        path = self.path(call_id)
        try:
            file = os.open(path, os.O_WRONLY)
        except FileNotFoundError:
            return False
        try:
            write_at(file, 0, os.urandom(max(1, os.fstat(file).st_size)))
            os.fsync(file)
        finally:
            os.close(file)
        path.unlink()
        _sync(path.parent)
        return True


def _sync(folder: Path) -> None:
    """Bring the change of a folder to disk."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
