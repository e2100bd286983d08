"""Encodings: what is told apart, what stays Windows-1252 because it cannot be told, and that no guess changes a number."""

from __future__ import annotations

import codecs
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mbt_rom.exports import encodings
from mbt_rom.exports.encodings import decode
from mbt_rom.exports.errors import ExportError

#: Headers and answers as exports hold them, made up.
TEXTS = {
    "nl": "patiënt;coöperatie;Beëindigd;Hoe vaak heeft u zich geërgerd aan anderen;één keer per week;reünie\n1001;2;ja;3\n",
    "nl_short": "patiënt;datum;vraag1;vraag2\n1001;2026-01-01;1;2\n1002;2026-01-02;0;3\n",
    "de": "Patient;Gefühle;Schlafstörung;übermüdet;häufig;größer;Straße;Ärger über andere;öfter\n1001;überhaupt nicht;3\n",
    "fr": "numéro;fréquence;réponse à la question;été;où;français;parfois énervé;dépressif\n12;3;très souvent;jamais\n",
    "tr": "hasta numarası;uyku şikâyeti;öfke;yaş;çok sık;hiç;güçsüz hissettim;ağrı;İlk görüşme;kişi\n1001;1;çoğunlukla\n",
    "tr_short": "hasta_no;yaş;çok;soru1\n1;2;3;4\n",
    "pl": "pacjent;pytanie o sen;złość;często;nigdy;czuję się smutny;trudności w związku;ręka;żal;źle;łatwo\n1001;1;2;3\n",
    "pl_short": "pacjent;imię;złość;pytanie1\n1;2;3;4\n",
    "cs": "číslo pacienta;otázka;často;nikdy;cítím se smutný;potíže se spánkem;žádný;řešení\n1;2;3\n",
    "en": "patient;naïve;café;question – “sleep”;don’t know;€ 5\n1;2;3\n",
    "names": "patiënt;Søren Åberg;François Müller;Zoë d’Angelo;50 °C;½;§ 3;2 m²\n1;2;3\n",
}
#: Text and the encoding in which it was written -> told.
TOLD = [
    *[(text, encoding) for text in ("nl", "de", "fr") for encoding in ("cp1252", "mac_roman", "cp850")],
    ("en", "mac_roman"), ("nl_short", "mac_roman"),
    ("tr", "cp1254"), ("tr_short", "cp1254"), ("pl", "cp1250"), ("pl_short", "cp1250"), ("cs", "cp1250"),
    ("nl_short", "cp1252"), ("en", "cp1252"), ("names", "cp1252"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "encoding"), TOLD)
def test_told_by_the_words(text: str, encoding: str) -> None:
    assert decode(TEXTS[text].encode(encoding)) == (TEXTS[text], encoding)


@pytest.mark.parametrize(
    ("text", "encoding"), [("nl_short", "cp850"), ("pl", "iso8859_2"), ("pl_short", "iso8859_2"), ("pl", "cp852")]
)
def test_what_cannot_be_told_stays_the_default(text: str, encoding: str) -> None:
    assert decode(TEXTS[text].encode(encoding))[1] == "cp1252"


@pytest.mark.parametrize(
    ("encoding", "mark", "named"),
    [
        ("utf-8", codecs.BOM_UTF8, "utf-8-sig"),
        ("utf-16-le", codecs.BOM_UTF16_LE, "utf-16"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "utf-16"),
        ("utf-32-le", codecs.BOM_UTF32_LE, "utf-32"),
        ("utf-32-be", codecs.BOM_UTF32_BE, "utf-32"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-be", b"", "utf-16-be"),
        ("utf-32-le", b"", "utf-32-le"),
        ("utf-32-be", b"", "utf-32-be"),
    ],
)
def test_unicode_with_and_without_a_mark(encoding: str, mark: bytes, named: str) -> None:
    assert decode(mark + TEXTS["nl"].encode(encoding)) == (TEXTS["nl"], named)


@pytest.mark.parametrize("data", [b"a,b\n1,\0\n", b"\0" * 100, codecs.BOM_UTF16_LE + b"a\0\0\0", b"\xff\xfea"])
def test_bytes_that_no_text_holds(data: bytes) -> None:
    with pytest.raises(ExportError) as caught:
        decode(data)
    assert caught.value.rule == "file_unreadable"


def test_late_words_are_heard() -> None:
    """The only words that tell stand behind ten megabytes of answers."""
    text = "1;2;3;0\n" * 1_250_000 + TEXTS["de"]
    assert decode(text.encode("mac_roman"))[1] == "mac_roman"


def test_every_encoding_that_is_tried_agrees_on_digits_and_signs() -> None:
    plain = string.digits + string.ascii_letters + string.punctuation + " \t\r\n"
    assert {plain.encode("ascii").decode(name) for name in [*encodings._LETTERS, "latin-1", "utf-8"]} == {plain}


@given(st.text(alphabet="0123456789;,.-\nëïüéşğłęäž€³¹²", min_size=1), st.sampled_from(sorted(encodings._LETTERS)))
def test_no_guess_changes_a_number(text: str, encoding: str) -> None:
    kept = "0123456789;,.-\n"
    read, _ = decode(text.encode(encoding, errors="ignore"))
    assert [c for c in read if c in kept] == [c for c in text if c in kept]
