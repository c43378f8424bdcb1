from __future__ import annotations

import argparse
import gzip
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.core.errors import ContractError, GlasshouseError, UsageError
from jobs.ingestion.inputs import find_files, fingerprint
from jobs.ingestion.mapping import OrdersSource
from jobs.ingestion.pseudonyms import ID_MASK, KEY_VARIABLE, key_fingerprint, keyed_id, read_key
from jobs.ingestion.request import Request, check_request

KEY = b"a key of more than sixteen bytes"
HEADER = "order_id,user_id,ts,amount\n"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY.decode())


def request_of(orders: Path, mapping: Path | None = None) -> Request:
    return check_request(
        argparse.Namespace(users=None, events=None, orders=orders, mapping=mapping)
    )


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("content", "lines"),
    [("", 0), ("\n", 1), ("a", 1), ("a\n", 1), ("a\r\nb\r\n", 2), ("a\n\nb", 3)],
)
def test_lines_are_counted_as_an_editor_does(tmp_path: Path, content: str, lines: int) -> None:
    plain = fingerprint(write(tmp_path / "a.csv", content), OrdersSource())
    assert plain.files[0].rows == lines
    packed = write(tmp_path / "b.csv.gz", gzip.compress(content.encode()))
    assert fingerprint(packed, OrdersSource()).files[0].rows == lines


def test_a_folder_is_read_whole_and_in_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b.csv", "sub/a.csv", "_SUCCESS", ".a.csv.crc", "_logs/x.csv"):
        write(tmp_path / "in" / name, HEADER)
    found = fingerprint(tmp_path / "in", OrdersSource())
    assert [file.name for file in found.files] == ["b.csv", "sub/a.csv"]


def test_content_makes_the_hash_of_a_file_and_names_too_that_of_a_folder(tmp_path: Path) -> None:
    def digest(path: Path) -> str:
        return fingerprint(path, OrdersSource()).content_hash

    one = digest(write(tmp_path / "one.csv", HEADER))
    assert one == digest(write(tmp_path / "two.csv", HEADER))
    assert one != digest(write(tmp_path / "three.csv", HEADER + "1,1,2024-01-01,1\n"))
    write(tmp_path / "in" / "a.csv", HEADER)
    first = digest(tmp_path / "in")
    write(tmp_path / "in" / "b.csv", HEADER)
    assert first != digest(tmp_path / "in")


def test_a_batch_depends_on_content_mapping_and_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "o.csv", HEADER + "1,1,2024-01-01,1\n")
    mapping = write(tmp_path / "m.yaml", "orders: {timezone: Europe/Berlin}")
    unnamed = write(tmp_path / "n.yaml", "orders: {}")
    ids = [request_of(path, m).inputs[0].batch_id for m in (None, unnamed, mapping)]
    assert ids[0] == ids[1] != ids[2]
    monkeypatch.setenv(KEY_VARIABLE, "another key of sixteen bytes")
    assert request_of(path).inputs[0].batch_id != ids[0]


def parquet_bytes() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"order_id": [1]}), sink)
    return bytes(sink.getvalue().to_pybytes())


@pytest.mark.parametrize(
    ("name", "content", "format_", "error"),
    [
        ("empty.csv", b"", "csv", UsageError),
        ("header_only.csv", HEADER.encode(), "csv", UsageError),
        ("utf16.csv", HEADER.encode("utf-16"), "csv", UsageError),
        ("latin1.csv", "user_id,größe\n".encode("latin-1"), "csv", UsageError),
        ("renamed.csv", b"order_id,user,ts,amount\n1,1,1,1\n", "csv", ContractError),
        ("twice.csv", b"order_id,user_id,ts,ts,amount\n1,1,1,1,1\n", "csv", ContractError),
        ("packed.csv", gzip.compress(HEADER.encode(), mtime=0), "csv", UsageError),
        ("not_packed.csv.gz", HEADER.encode(), "csv", UsageError),
        ("cut.csv.gz", gzip.compress(os.urandom(9000))[:-40], "csv", UsageError),
        ("packed.csv.zst", b"x", "csv", UsageError),
        ("_hidden.csv", HEADER.encode(), "csv", UsageError),
        ("10:15.csv", HEADER.encode(), "csv", UsageError),
        ("empty.parquet", b"", "parquet", UsageError),
        ("wrong_magic.parquet", HEADER.encode(), "parquet", UsageError),
        ("cut.parquet", parquet_bytes()[:-9], "parquet", UsageError),
        ("lacking.parquet", parquet_bytes(), "parquet", ContractError),
    ],
)
def test_a_bad_file_is_refused_by_name_before_anything_starts(
    tmp_path: Path, name: str, content: bytes, format_: str, error: type[GlasshouseError]
) -> None:
    mapping = write(tmp_path / "m.yaml", f"orders: {{format: {format_}}}")
    with pytest.raises(error) as refused:
        request_of(write(tmp_path / name, content), mapping)
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_column_is_shown_beside_what_is_there(tmp_path: Path) -> None:
    path = write(tmp_path / "o.csv", "order_id,customer,ts,amount\n1,1,1,1\n")
    with pytest.raises(ContractError, match=r"expected user_id; got order_id, customer, ts"):
        request_of(path)


def test_files_of_a_folder_must_have_one_header(tmp_path: Path) -> None:
    write(tmp_path / "in/a.csv", HEADER + "1,1,2024-01-01,1\n")
    write(tmp_path / "in/b.csv", "order_id,ts,user_id,amount\n1,2024-01-01,1,1\n")
    with pytest.raises(ContractError, match=r"b\.csv differs from a\.csv"):
        request_of(tmp_path / "in")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "empty", tmp_path / "none.csv", tmp_path / "pipe"):
        with pytest.raises(UsageError, match=path.name):
            find_files(path)


def test_no_input_is_refused() -> None:
    nothing = argparse.Namespace(users=None, events=None, orders=None, mapping=None)
    with pytest.raises(UsageError, match="--users"):
        check_request(nothing)


@pytest.mark.parametrize("value", [None, "", "fifteen bytes..."[:15]])
def test_a_missing_or_short_key_is_refused_with_a_way_to_make_one(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv(KEY_VARIABLE)
    if value is not None:
        monkeypatch.setenv(KEY_VARIABLE, value)
    with pytest.raises(UsageError, match="openssl rand -hex 32"):
        read_key()


# From `printf 'user:00001' | openssl dgst -sha256 -hmac "$KEY"`: the first and second 8 bytes.
@pytest.mark.parametrize(
    ("text", "digest"),
    [
        ("00001", "5e23d4897598bb2022830819ef3e2b2b"),
        ("00002", "1226c7fa36ff09fd9e0558b9c5d0e42c"),  # its check is negative
    ],
)
def test_ids_are_those_of_hmac_sha256(text: str, digest: str) -> None:
    expected = bytes.fromhex(digest)
    top, check = keyed_id(KEY, "user", text)
    assert top == int.from_bytes(expected[:8], "big") & ID_MASK
    assert check == int.from_bytes(expected[8:], "big", signed=True)


def test_ids_differ_by_domain_text_and_key() -> None:
    others = {
        keyed_id(KEY, "order", "00001"),
        keyed_id(KEY, "user", "1"),
        keyed_id(KEY[:-1], "user", "00001"),
    }
    assert len(others | {keyed_id(KEY, "user", "00001")}) == 4
    assert all(0 <= keyed_id(KEY, "user", str(n))[0] <= ID_MASK for n in range(2000))


def test_the_key_is_in_no_text_of_a_request(tmp_path: Path) -> None:
    path = write(tmp_path / "o.csv", HEADER + "1,1,2024-01-01,1\n")
    assert KEY.decode() not in repr(request_of(path))
    assert KEY.hex() not in key_fingerprint(KEY)
