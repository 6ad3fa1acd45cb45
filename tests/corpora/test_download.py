from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from nlpseq.corpora import download
from nlpseq.corpora.download import cache_folder, fetch, files_here, locate, whereabouts
from nlpseq.errors import DataError, NlpseqError, TrustError


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The mirror's files over HTTP, at the place of the addresses in the registry."""
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(mirror)))
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{httpd.server_port}/pos"
    real = download._download
    monkeypatch.setattr(
        download, "_download", lambda address, *rest: real(f"{root}/{address.rpartition('/')[2]}", *rest)
    )
    monkeypatch.setattr(download, "_RETRIES", 0)  # each waits a second
    yield root
    httpd.shutdown()
    httpd.server_close()


class Counter:
    """A progress bar that counts."""

    def __init__(self) -> None:
        self.total, self.seen = 0, 0

    def update(self, count: int) -> None:
        self.seen += count

    def reset(self) -> None:
        self.seen = 0

    def close(self) -> None:
        pass


def kept() -> list[str]:
    return sorted(path.name for path in cache_folder().rglob("*") if path.is_file())


@pytest.mark.usefixtures("server")
def test_a_download_is_verified_and_kept(mirror: Path) -> None:
    progress = Counter()
    path = fetch("pos", "train", progress=progress)
    assert path.read_bytes() == (mirror / "pos" / "train.conllu").read_bytes()
    assert progress.seen == progress.total == path.stat().st_size
    assert kept() == ["train.conllu"]
    assert locate("pos", "train") == path
    assert whereabouts("pos") == "cache"


@pytest.mark.usefixtures("server")
def test_what_is_not_the_file_is_not_kept(mirror: Path) -> None:
    (mirror / "pos" / "train.conllu").write_text("something else")
    with pytest.raises(TrustError, match="is not the file that the registry names"):
        fetch("pos", "train")
    with pytest.raises(TrustError, match="its SHA-256 differs"):
        fetch("pos", "train", mirror)
    assert kept() == []
    assert TrustError.exit_code == 4


@pytest.mark.usefixtures("server")
def test_a_failed_download_is_a_sentence(mirror: Path) -> None:
    (mirror / "pos" / "train.conllu").unlink()
    with pytest.raises(NlpseqError, match="could not be downloaded") as caught:
        fetch("pos", "train")
    assert caught.value.exit_code == 1
    assert kept() == []


def test_the_mirror_goes_before_the_network_and_fills_the_cache(mirror: Path) -> None:
    assert locate("pos", "train", mirror).is_relative_to(mirror)
    path = fetch("pos", "train", mirror)
    assert path.is_relative_to(cache_folder())
    assert files_here("pos") == {"train": path}


def test_a_file_in_the_cache_or_mirror_that_changed_is_not_trusted(mirror: Path) -> None:
    path = fetch("pos", "train", mirror)
    path.write_text("tampered")
    with pytest.raises(TrustError, match=r"SHA-256 differs"):
        locate("pos", "train")
    (mirror / "pos" / "train.conllu").write_text("tampered")
    with pytest.raises(TrustError):
        locate("pos", "train", mirror)
    with pytest.raises(TrustError):
        fetch("pos", "train", mirror)
    assert path.read_text() == "tampered"  # what is no better does not take its place


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("from_mirror", [True, False])
def test_a_damaged_file_is_replaced(mirror: Path, from_mirror: bool) -> None:
    path = fetch("pos", "train", mirror)
    path.write_text("damaged")
    assert fetch("pos", "train", mirror if from_mirror else None) == path
    assert locate("pos", "train") == path
    assert kept() == ["train.conllu"]


def test_a_file_whose_digest_was_not_recorded_is_taken_anew(mirror: Path) -> None:
    path = fetch("tests", "test", mirror, unverified=True)
    record = path.with_name("test.conllu.sha256")
    record.unlink()
    with pytest.raises(TrustError, match="knows no SHA-256"):
        fetch("tests", "test", mirror)
    assert fetch("tests", "test", mirror, unverified=True) == path
    assert locate("tests", "test") == path
    record.write_text("")
    for look in (locate, fetch):
        with pytest.raises(TrustError, match=r"test\.conllu\.sha256: has no SHA-256"):
            look("tests", "test", mirror)


def test_the_digest_is_recorded_before_the_file_is_in_its_place(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[str] = []
    real = Path.replace
    monkeypatch.setattr(Path, "replace", lambda path, to: (moved.append(Path(to).name), real(path, to))[1])
    fetch("tests", "test", mirror, unverified=True)
    assert moved == ["test.conllu.sha256", "test.conllu"]


def test_a_file_of_unknown_digest_is_taken_once_on_request(mirror: Path) -> None:
    with pytest.raises(TrustError, match="knows no SHA-256"):
        fetch("tests", "test", mirror)
    path = fetch("tests", "test", mirror, unverified=True)
    record = path.with_name("test.conllu.sha256").read_text()
    assert record == f"{hashlib.sha256(path.read_bytes()).hexdigest()}  test.conllu\n"  # as sha256sum writes it
    assert locate("tests", "test", mirror).is_relative_to(mirror)  # it is the same file
    path.write_text("tampered")
    with pytest.raises(TrustError):
        locate("tests", "test")


def test_a_users_own_corpus_stays_where_it_is(mirror: Path) -> None:
    assert fetch("own", "train", mirror).is_relative_to(mirror)
    with pytest.raises(DataError, match="Bring it"):
        fetch("own", "train")
    with pytest.raises(DataError, match="The mirror is not a folder"):
        locate("own", "train", mirror / "none")


@pytest.mark.usefixtures("server", "mirror")
def test_with_a_mirror_nothing_is_downloaded(tmp_path: Path) -> None:
    """The file is on the server, but a mirror was named, so it must not be asked."""
    empty = tmp_path / "empty-mirror"
    empty.mkdir()
    with pytest.raises(DataError, match=r"has no pos/train\.conllu"):
        fetch("pos", "train", empty)
