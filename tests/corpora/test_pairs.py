from __future__ import annotations

import gzip
import lzma
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlpseq.corpora.directions import Direction, direction_of, in_direction, language_of
from nlpseq.corpora.pairs import ApartError, PairFields, grouped, read_pairs
from nlpseq.corpora.sources import Reading, direction_of_sources, read_pair_sources, read_references
from nlpseq.errors import DataError, UsageError

EN_FR = Direction("en", "fr")
OWN_KEYS = PairFields("a", "b")


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


def read(*paths: Path, **options: object) -> list[tuple[str, tuple[str, ...]]]:
    return [(pair.source, pair.targets) for pair in read_pairs(paths, **options)]  # type: ignore[arg-type]


WANTED = [("A dog.", ("Un chien.",)), ("Two  cats.", ("Deux chats.",))]


def test_parallel_files_in_any_packing(tmp_path: Path) -> None:
    sources, targets = "A dog.\n\nTwo  cats.\n", "Un chien.\r\n \r\n Deux chats.\r\n"
    plain = write(tmp_path / "m.en", sources), write(tmp_path / "m.fr", targets)
    (tmp_path / "m.en.gz").write_bytes(gzip.compress(sources.encode()))
    (tmp_path / "m.fr.xz").write_bytes(lzma.compress(targets.encode()))
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.writestr("m.en", sources)
        archive.writestr("m.fr", targets)
    zipped = [Path(f"{tmp_path / 'm.zip'}#{name}") for name in ("m.en", "m.fr")]
    for files in (plain, (tmp_path / "m.en.gz", tmp_path / "m.fr.xz"), zipped):
        assert read(*files) == WANTED
        assert direction_of(files) == EN_FR
    assert [pair.line for pair in read_pairs(plain)] == [1, 3]


def test_files_whose_suffixes_name_the_direction_may_come_in_any_order(tmp_path: Path) -> None:
    english, french = write(tmp_path / "m.en", "a\n"), write(tmp_path / "m.fr", "b\n")
    assert read(french, english) == [("b", ("a",))]
    assert read(french, english, direction=EN_FR) == [("a", ("b",))]


@pytest.mark.parametrize(
    ("names", "direction", "order"),
    [
        (["m.txt", "m.en"], EN_FR, [1, 0]),
        (["m.fr", "m.txt"], EN_FR, [1, 0]),
        (["m.pt-BR", "m.en"], Direction("en", "pt"), [1, 0]),
        (["m.en", "m.pt"], Direction("en", "pt-BR"), [0, 1]),
        (["m.hsb", "m.de"], Direction("de", "hsb"), [1, 0]),
        (["m.dat", "m.raw"], EN_FR, [0, 1]),
        (["m.en", "m.fr", "n.fr"], EN_FR, [0, 1, 2]),
    ],
)
def test_suffixes_tell_the_sides_apart(direction: Direction, names: list[str], order: list[int]) -> None:
    assert list(in_direction(names, direction)) == [names[index] for index in order]


@pytest.mark.parametrize(
    ("names", "direction", "said"),
    [
        (["m.en", "m.de"], EN_FR, "are en and de by their suffixes, but the direction is en-fr"),
        (["m.txt", "m.de"], EN_FR, "are .? and de"),
        (["m.en", "n.en"], EN_FR, "are en and en"),
        (["m.fr", "m.en", "n.en"], EN_FR, "are fr and en and en"),
        (["m.en", "m.zh-Hant"], Direction("en", "zh-Hans"), "the direction is en-zh-Hans"),
    ],
)
def test_suffixes_of_other_languages_are_an_error(names: list[str], direction: Direction, said: str) -> None:
    with pytest.raises(UsageError, match=f"{' '.join(names)}: .*{said}"):
        in_direction(names, direction)


def test_several_references(tmp_path: Path) -> None:
    files = [write(tmp_path / name, text) for name, text in (("s", "a\n"), ("r1", "b\n"), ("r2", "c\n"))]
    assert read(*files) == [("a", ("b", "c"))]


@pytest.mark.parametrize(("shorter", "line"), [("m.en", 2), ("m.fr", 2)])
def test_files_that_run_apart_are_an_error_with_file_and_line(tmp_path: Path, shorter: str, line: int) -> None:
    files = [write(tmp_path / name, "a\n" * (1 if name == shorter else 3)) for name in ("m.en", "m.fr")]
    with pytest.raises(ApartError, match="run apart") as caught:
        read(*files)
    assert (caught.value.path, caught.value.line) == (tmp_path / shorter, line)


@pytest.mark.parametrize(("sources", "targets", "side"), [("a\n\n", "b\nc\n", "source"), ("a\nb\n", "c\n\n", "transl")])
def test_one_empty_side_is_an_error(tmp_path: Path, sources: str, targets: str, side: str) -> None:
    with pytest.raises(DataError, match=f"m.en:2: The {side}"):
        read(write(tmp_path / "m.en", sources), write(tmp_path / "m.fr", targets))


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("A dog.\tUn chien.\tCC-BY 2.0 #1 & #2\nTwo  cats.\tDeux chats.\n", {}),
        ("source\ttarget\nA dog.\tUn chien.\nTwo  cats.\tDeux chats.\n", {}),
        ("fr\ten\nUn chien.\tA dog.\nDeux chats.\tTwo  cats.\n", {"direction": EN_FR}),
        ("x\ty\tz\n1\tUn chien.\tA dog.\n2\tDeux chats.\tTwo  cats.\n", {"fields": PairFields("z", "y")}),
        ("1\tUn chien.\tA dog.\n2\tDeux chats.\tTwo  cats.\n", {"fields": PairFields("3", "2")}),
    ],
)
def test_tab_separated(tmp_path: Path, text: str, options: dict[str, object]) -> None:
    assert read(write(tmp_path / "m.tsv", text), **options) == WANTED
    assert read(write(tmp_path / "m.txt", text), **options) == WANTED  # by its content


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ('{"source": "A dog.", "target": "Un chien."}\n\n{"source": "Two  cats.", "target": "Deux chats."}\n', {}),
        ('{"en": "A dog.", "fr": "Un chien.", "n": 1}\n{"en": "Two  cats.", "fr": "Deux chats."}\n', {}),
        ('{"fr": "Un chien.", "en": "A dog."}\n{"fr": "Deux chats.", "en": "Two  cats."}\n', {"direction": EN_FR}),
        ('{"translation": {"en": "A dog.", "fr": "Un chien."}}\n{"en": "Two  cats.", "fr": "Deux chats."}\n', {}),
        ('{"a": "A dog.", "b": ["Un chien."]}\n{"a": "Two  cats.", "b": "Deux chats."}', {"fields": OWN_KEYS}),
    ],
)  # fmt: skip
def test_json_lines(tmp_path: Path, text: str, options: dict[str, object]) -> None:
    assert read(write(tmp_path / "m.jsonl", text), **options) == WANTED


def test_json_lines_may_have_several_targets(tmp_path: Path) -> None:
    path = write(tmp_path / "m.jsonl", '{"source": "a", "targets": ["b", "c"]}\n')
    assert read(path) == [("a", ("b", "c"))]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("m.tsv", "a\tb\nc\n", "m.tsv:2: 1 columns where 2"),
        ("m.tsv", "a\tb\nc\t \n", "m.tsv:2: The translation is empty"),
        ("m.jsonl", '{"source": "a", "target": "b"}\n{"source": 1, "target": "b"}\n', "2: 'source' is not a text"),
        ("m.jsonl", '{"a": "b"}\n', "m.jsonl:1: The keys"),
        ("m.jsonl", '{"en": "b", "fr": "c", "de": "d"}\n', "--from and --to"),
        ("m.jsonl", "nonsense\n", "m.jsonl:1: This is not a JSON object"),
    ],
)  # fmt: skip
def test_faults_are_told_with_their_place(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(write(tmp_path / name, text))


def test_columns_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no column 'x'; its first line has a, b"):
        read(write(tmp_path / "m.tsv", "a\tb\n"), fields=PairFields("x", "b"))


@pytest.mark.parametrize(
    ("fields", "pair"),
    [
        (PairFields("2"), ("un", ("one",))),
        (PairFields(None, "1"), ("un", ("one",))),
        (PairFields("1"), ("one", ("un",))),
        (PairFields("fr"), ("un", ("one",))),
        (PairFields(None, "fr"), ("one", ("un",))),
    ],
)
def test_of_two_columns_one_may_be_named(tmp_path: Path, fields: PairFields, pair: tuple[str, tuple[str, ...]]) -> None:
    heading = "" if (fields.source or fields.target or "").isdecimal() else "en\tfr\n"
    assert read(write(tmp_path / "m.tsv", f"{heading}one\tun\n"), fields=fields) == [pair]
    with pytest.raises(UsageError, match="name both --source-column and --target-column"):
        read(write(tmp_path / "n.tsv", "a\tb\tc\n"), fields=fields)


def test_files_belong_together_by_twos(tmp_path: Path) -> None:
    names = ["a.en", "a.fr", "b.tsv", "c.en", "c.fr"]
    paths = [str(write(tmp_path / name, "x\ty\n")) for name in names]
    assert [len(group) for group in grouped(paths)] == [2, 1, 2]
    for wrong in (paths[:1], [paths[0], paths[2]]):
        with pytest.raises(UsageError, match=r"a\.en: is one side of parallel text"):
            grouped(wrong)
    assert len(read_pair_sources(paths, "train")) == 3
    assert direction_of_sources(paths) == EN_FR
    assert direction_of_sources(paths, EN_FR.reverse) == EN_FR.reverse
    assert direction_of_sources(paths[2:3]) is None


def test_files_of_two_directions_do_not_go_together(tmp_path: Path) -> None:
    paths = [str(write(tmp_path / name, "x\n")) for name in ("a.en", "a.de", "b.fr", "b.en")]
    with pytest.raises(UsageError, match=r"b\.fr .*b\.en: are fr and en .* the direction is en-de"):
        read_pair_sources(paths, "train")
    with pytest.raises(UsageError, match=r"a\.en .*a\.de: are en and de .* the direction is en-fr"):
        read_pair_sources(paths, "train", direction=EN_FR)
    with pytest.raises(UsageError, match=r"a\.en .*a\.de .*b\.fr: are en and de and fr"):
        read_references(paths[:3], "dev", Reading(), ("en", "de"))


def test_corpora_and_files_may_be_mixed(tmp_path: Path) -> None:
    paths = [str(write(tmp_path / name, "x\n")) for name in ("a.fr", "a.en")]
    pairs = read_pair_sources(["sample-translation:dev@fr-en", *paths], "train")
    assert (len(pairs), pairs[-1].source) == (301, "x")
    assert direction_of_sources(["sample-translation@fr-en"]) == EN_FR.reverse
    assert direction_of_sources(["sample-translation@fr-en"], EN_FR) == EN_FR
    with pytest.raises(UsageError, match=r"sample-translation@fr-en: is fr-en, but the direction is en-fr.*first"):
        read_pair_sources(["sample-translation@en-fr", "sample-translation@fr-en"], "train")
    with pytest.raises(UsageError, match="neither a file here nor a corpus"):
        read_pair_sources(["sample-translatio"], "train")


def test_a_suffix_that_is_no_language_says_nothing_of_the_content(tmp_path: Path) -> None:
    table = str(write(tmp_path / "m.dat", "a\tb\n"))
    assert (grouped([table]), direction_of([table, table])) == ([(table,)], None)
    texts = [str(write(tmp_path / name, "a\tb\n")) for name in ("m.de", "m.hsb")]
    assert grouped(texts, Direction("de", "hsb")) == [tuple(texts)]


def test_languages_of_suffixes() -> None:
    found = {name: language_of(name) for name in ("m.fr", "m.fr.gz", "m.fr.txt", "m.txt", "m", "m.pt-BR", "m.zip#x.de")}
    assert [name for name, language in found.items() if language == "fr"] == ["m.fr", "m.fr.gz", "m.fr.txt"]
    assert (found["m.txt"], found["m"], found["m.pt-BR"], found["m.zip#x.de"]) == (None, None, "pt-BR", "de")
    assert [language_of(f"m.{suffix}") for suffix in ("dat", "log", "doc", "xx", "hsb")] == [None] * 5
    assert language_of("m.hsb", Direction("de", "hsb")) == "hsb"
    assert Direction.parse("pt-BR-en") == Direction("pt-BR", "en") == Direction.between("pt-BR", "en")
    assert Direction.parse(str(Direction.between("zh_Hant", "pt-BR"))) == Direction("zh_Hant", "pt-BR")
    assert Direction.between("pt-br", "en") == Direction("pt-br", "en")
    with pytest.raises(UsageError, match="'EN' is no code"):
        Direction.between("EN", "fr")
    for wrong in ("en", "en-en", "pt-br-en", "EN-fr", "en_fr", "-fr"):
        with pytest.raises(UsageError, match="no direction"):
            Direction.parse(wrong)


side = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), min_size=1).filter(str.strip)


@given(st.lists(st.tuples(side, side), min_size=1, max_size=5))
def test_what_was_written_is_read(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]) -> None:
    folder = tmp_path_factory.mktemp("pairs")
    files = [write(folder / f"m.{name}", "".join(row[i] + "\n" for row in rows)) for i, name in enumerate(("en", "fr"))]
    table = write(folder / "m.tsv", "\t\n" + "".join(f"{source}\t{target}\n" for source, target in rows))
    bare = [(source.strip().removeprefix("\ufeff").strip(), (target.strip(),)) for source, target in rows]
    if not any("\ufeff" in source + target for source, target in rows):
        assert read(*files) == bare
        assert read(table) == bare


@pytest.mark.parametrize("name", ["corpus.en-fr", "corpus.en-fr.txt", "corpus.txt"])
def test_a_file_that_is_named_after_both_languages_is_one_of_pairs(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("a\tb\n", encoding="utf-8")
    assert grouped([str(path)]) == [(str(path),)]


PAIRS = [("a", ("b",)), ("c, d", ("e",))]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.csv", 'source,target\na,b\n"c, d",e\n'),
        ("m.csv", 'n,en,fr\n1,a,b\n2,"c, d",e\n'),
        ("m.csv", 'a,b\n\n"c, d",e\n'),
        ("m.tsv", "en\tfr\na\tb\nc, d\te\n"),
        ("m.tsv", "\nEN\tFR\na\tb\nc, d\te\n"),
        ("m.tsv", "en\tfr\turl\na\tb\tx\nc, d\te\tx\n"),
    ],
)
def test_headings_that_are_languages_are_no_pair(tmp_path: Path, name: str, text: str) -> None:
    path = write(tmp_path / name, text)
    assert read(path) == PAIRS
    there = EN_FR if "en" in text.lower() else None
    assert direction_of_sources([str(path)]) == there
    if there:
        back = [(targets[0], (source,)) for source, targets in PAIRS]
        assert read(path, direction=EN_FR.reverse) == back
        with pytest.raises(UsageError, match=r"is (en-fr|EN-FR), but the direction is en-de"):
            read(path, direction=Direction("en", "de"))


def test_columns_by_number_pass_over_headings(tmp_path: Path) -> None:
    path, fields = write(tmp_path / "m.tsv", "en\tfr\na\tb\n"), PairFields("2", "1")
    assert read(path, fields=fields) == [("b", ("a",))]
    assert direction_of_sources([str(path)], fields=fields) == EN_FR.reverse


def test_keys_that_are_no_languages_are_none(tmp_path: Path) -> None:
    line = '{"url": "http://x", "en": "Hello", "fr": "Salut"}\n'
    path = write(tmp_path / "m.jsonl", line)
    assert read(path) == [("Hello", ("Salut",))]
    assert direction_of_sources([str(path)]) == EN_FR
    with pytest.raises(DataError, match="The keys of the two sides are not found"):
        read(write(tmp_path / "n.jsonl", '{"url": "http://x", "en": "Hello"}\n'))


def test_several_files_are_references_only_where_they_are_parallel_text(tmp_path: Path) -> None:
    tables = [str(write(tmp_path / f"{n}.tsv", f"{n}\t{n}{n}\n")) for n in "abc"]
    pairs = read_references(tables, "dev", Reading(), ("en", "fr"))
    assert [(pair.source, pair.targets) for pair in pairs] == [("a", ("aa",)), ("b", ("bb",)), ("c", ("cc",))]
    with pytest.raises(UsageError, match=r"a\.tsv: a tsv file holds both sides"):
        read(*map(Path, tables))
