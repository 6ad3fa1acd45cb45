"""Files of registered corpora: found, verified, downloaded. What is not what it should be is never kept.

A file lies in a mirror (FOLDER/<corpus>/<file>), with the install, or in the user's cache. Every file is
checked against its SHA-256: the registry's, or the one recorded when the user first fetched it unverified.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from nlpseq.corpora.registry import SHA256, CorpusFile, PlainFile, find_corpus, find_file
from nlpseq.digest import sha256_of
from nlpseq.errors import DataError, NlpseqError, TrustError
from nlpseq.shipped import shipped_folder

_RETRIES = 3
_TIMEOUT = 30  # seconds without an answer


class DownloadProgress(Protocol):
    """What a download tells: bytes in all, and bytes that came. It is what pooch asks of a progress bar."""

    total: int

    def update(self, count: int) -> None: ...  # noqa: D102
    def reset(self) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


def cache_folder() -> Path:
    """Where downloads are kept: `NLPSEQ_CACHE`, or the user's cache folder of this platform."""
    if own := os.environ.get("NLPSEQ_CACHE"):
        return Path(own) / "corpora"
    from platformdirs import user_cache_path

    return user_cache_path("nlpseq", appauthor=False) / "corpora"


def mirror_folder(mirror: str | Path | None = None) -> Path | None:
    """The mirror: the one given, else `NLPSEQ_CORPORA_MIRROR`. Raises DataError where it is no folder."""
    chosen = mirror or os.environ.get("NLPSEQ_CORPORA_MIRROR")
    if not chosen:
        return None
    if not Path(chosen).is_dir():
        raise DataError("The mirror is not a folder; name one that holds CORPUS/FILE.", chosen)
    return Path(chosen)


def locate(name: str, split: str, mirror: str | Path | None = None) -> Path:
    """The verified file of a split, without a network. A shipped corpus is read from the install.

    Raises DataError where it is nowhere, saying how to get it; TrustError where it is not what it should be.
    """
    file = find_file(name, split)
    if find_corpus(name).shipped:
        return shipped_folder("corpora") / name / file.file
    for path in _places(name, file.file, mirror):
        if path.is_file():
            _verify(path, name, split, file)
            return Path(f"{path}#{file.member}") if file.member else path
    if file.instead:
        for path in _places(name, file.instead.file, mirror):
            if path.is_file():
                return _verified(path, file.instead)
    raise _missing(name, split, file)


def files_here(name: str, mirror: str | Path | None = None) -> dict[str, Path]:
    """The verified file of every split that is on this machine. Raises DataError where none is."""
    found: dict[str, Path] = {}
    for split in find_corpus(name).splits:
        with suppress(DataError):
            found[split] = locate(name, split, mirror)
    if not found:
        split = next(iter(find_corpus(name).splits))
        raise _missing(name, split, find_file(name, split))
    return found


def whereabouts(name: str, mirror: str | Path | None = None) -> str:
    """Where a corpus would be read from, unverified: `install`, `mirror`, `cache`, or empty for nowhere."""
    corpus, folder = find_corpus(name), mirror_folder(mirror)
    if corpus.shipped:
        return "install"
    files = [one.file for file in corpus.splits.values() for one in (file, file.instead) if one]
    if folder is not None and any((folder / name / file).is_file() for file in files):
        return "mirror"
    return "cache" if any((cache_folder() / name / file).is_file() for file in files) else ""


def fetch(
    name: str,
    split: str,
    mirror: str | Path | None = None,
    *,
    unverified: bool = False,
    progress: DownloadProgress | None = None,
) -> Path:
    """The file of a split in the cache, taken from the mirror or downloaded where it is not there yet, or is damaged.

    Shipped files, and those that have no address, stay where they are. With `unverified` a file whose SHA-256
    the registry does not know is taken as it comes, once: its digest is recorded, before the file is in its
    place, and checked from then on.
    With a mirror nothing is downloaded. Raises as `locate` does, and NlpseqError where the download fails.
    """
    file = find_file(name, split)
    if find_corpus(name).shipped or file.address is None:
        return locate(name, split, mirror)
    target = cache_folder() / name / file.file
    known = expected_sha256(name, file)
    if target.is_file() and (file.changing if known is None else sha256_of(target) == known):
        return target
    source = mirror_folder(mirror)
    if file.instead and (ready := _instead(name, file.instead, source)):
        return ready
    if known is None and not unverified:
        raise _unknown(name, split, file)
    if source is not None and not (source / name / file.file).is_file():
        raise DataError(f"The mirror has no {name}/{file.file}; without a mirror it is downloaded.", source)
    with _into(target) as fresh:
        if source is not None:
            _copy(source / name / file.file, fresh, known)
        else:
            _download(file.address, fresh, known, progress)
        if known is None:
            with _into(_record(target)) as record:
                record.write_text(f"{sha256_of(fresh)}  {file.file}\n", encoding="utf-8")
    return target


def _instead(name: str, file: PlainFile, source: Path | None) -> Path | None:
    """The file that serves as well, in the cache or copied there from the mirror; None where it is nowhere."""
    target = cache_folder() / name / file.file
    if source is None or not (source / name / file.file).is_file():
        return _verified(target, file) if target.is_file() else None
    if not target.is_file() or (file.sha256 is not None and sha256_of(target) != file.sha256):
        with _into(target) as fresh:
            _copy(source / name / file.file, fresh, file.sha256)
    return target


def expected_sha256(name: str, file: CorpusFile) -> str | None:
    """What the registry says, or what was recorded at the first download; None where neither is there.

    Raises TrustError where the record is none.
    """
    record = _record(cache_folder() / name / file.file)
    if file.sha256 is None and record.is_file():
        digest = record.read_text(encoding="utf-8", errors="replace").partition(" ")[0]
        if not SHA256.fullmatch(digest):
            what = (
                "has no SHA-256, which was to be recorded there. Remove it, and get the corpus again with --unverified."
            )
            raise TrustError(f"{record}: {what}")
        return digest
    return file.sha256


def _record(target: Path) -> Path:
    return target.with_name(target.name + ".sha256")


def _places(name: str, file: str, mirror: str | Path | None) -> list[Path]:
    folders = [mirror_folder(mirror), cache_folder()]
    return [folder / name / file for folder in folders if folder is not None]


def _verify(path: Path, name: str, split: str, file: CorpusFile) -> None:
    known = expected_sha256(name, file)
    if known is None:
        if file.address is None or file.changing:  # there is no upstream to compare it with
            return
        raise _unknown(name, split, file)
    _verified(path, PlainFile(file.file, known))


def _verified(path: Path, file: PlainFile) -> Path:
    if file.sha256 is not None and sha256_of(path) != file.sha256:
        raise TrustError(
            f"{path} is not the file that the registry names (its SHA-256 differs). Remove it; one in the cache is "
            "replaced by `nlpseq corpora get`."
        )
    return path


@contextmanager
def _into(target: Path) -> Iterator[Path]:
    """Where to write a file that then takes the place of `target`, unless something is raised."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        fresh = Path(folder) / target.name
        yield fresh
        fresh.replace(target)


def _copy(source: Path, target: Path, known: str | None) -> None:
    shutil.copyfile(source, target)
    if known is not None and sha256_of(target) != known:
        raise TrustError(f"{source} is not the file that the registry names: its SHA-256 differs.")


def _download(address: str, target: Path, known: str | None, progress: DownloadProgress | None) -> None:
    import pooch
    from requests import ConnectionError as RequestsConnectionError
    from requests import RequestException

    pooch.get_logger().setLevel("ERROR")
    keeper = pooch.create(
        path=target.parent,
        base_url="",
        registry={target.name: known},
        urls={target.name: address},
        retry_if_failed=_RETRIES,
    )
    downloader = pooch.HTTPDownloader(progressbar=progress or False, chunk_size=2**16, timeout=_TIMEOUT)
    try:
        keeper.fetch(target.name, downloader=downloader)
    except ValueError as error:
        raise TrustError(f"What {address} sent is not the file that the registry names; nothing is kept.") from error
    except (RequestException, OSError) as error:
        away = isinstance(error, ConnectionError | RequestsConnectionError)
        reason = f"{urlsplit(address).hostname} cannot be reached" if away else error
        what = f"{address} could not be downloaded: {reason}."
        raise NlpseqError(f"{what} Try again, or take the files from a folder with --mirror.") from error


def _missing(name: str, split: str, file: CorpusFile) -> DataError:
    if file.address is None:
        hint = find_corpus(name).note or "Name a folder that has it with --mirror."
    else:
        options = "" if file.sha256 else f" --split {split} --unverified"
        hint = f"Run: nlpseq corpora get {name}{options}, or name a folder that has it with --mirror."
    return DataError(f"{file.file} ({name}, {split}) is not on this machine. {hint}")


def _unknown(name: str, split: str, file: CorpusFile) -> TrustError:
    return TrustError(
        f"The registry knows no SHA-256 of {file.file} ({name}, {split}). To take it as it comes, and have "
        f"its digest recorded: nlpseq corpora get {name} --split {split} --unverified"
    )
