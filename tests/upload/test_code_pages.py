import pytest

from contact_pipeline.upload import ReadOptions

WESTERN = ["José García", "Jürgen Müller", "Zoë François", "Ærø Åse", "EDUÁRD", "naïve"]
CYRILLIC = ["Жанна Иванова", "Пётр", "ООО Ромашка"]


@pytest.mark.parametrize(
    ("names", "encoding", "found"),
    [
        (WESTERN, "cp1252", "cp1252"),
        (WESTERN, "iso-8859-1", "cp1252"),
        (WESTERN, "mac-roman", "mac-roman"),
        (["José", "Müller"], "cp850", "cp850"),
        (["Łukasz Żółć", "Wałęsa", "Śląsk"], "cp1250", "cp1250"),
        (CYRILLIC, "cp1251", "cp1251"),
        (CYRILLIC, "koi8-r", "koi8-r"),
        (["Γιώργος Παπαδόπουλος"], "cp1253", "cp1253"),
        (["שלום כהן"], "cp1255", "cp1255"),
        (["محمد علي"], "cp1256", "cp1256"),
        (["山田太郎", "ヤマダ", "すずき"], "cp932", "cp932"),
        (["김철수", "이영희"], "euc_kr", "euc_kr"),
        (["王小明", "张伟"], "gb18030", "gb18030"),
    ],
)
def test_the_code_page_is_guessed_and_the_guess_is_said(read, names, encoding, found):
    reading = read(b"Name,Phone\n" + "".join(f"{name},1\n" for name in names).encode(encoding))

    assert reading.upload.encoding == found
    assert [name for name, _ in reading.cells] == names
    assert "was assumed" in reading.upload.warnings[0]
    assert "declare the encoding" in reading.upload.warnings[0]


def test_a_guess_that_looks_wrong_is_said(read):
    reading = read("Name,Phone\nA¤§B¶,1\n¾¾¼,2\n".encode("cp1252"))

    assert "It looks wrong" in reading.upload.warnings[0]
    assert reading.upload.doubt is not None


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["José", "Жанна", "山田", "Ada"])
def test_utf_16_is_told_without_a_mark(read, encoding, name):
    reading = read(f"Name,Phone\r\n{name},1\r\n".encode(encoding))

    assert reading.upload.encoding == encoding
    assert reading.cells == [(name, "1")]
    assert "UTF-16 was assumed" in reading.upload.warnings[0]


def test_utf_16_is_declared_with_or_without_a_mark(read):
    content = "Name,Phone\nЖанна,1\n"

    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        reading = read(content.encode(encoding), options=ReadOptions(encoding="utf-16"))
        assert reading.cells == [("Жанна", "1")]
        assert reading.upload.warnings == []


def test_control_characters_stay_and_are_said(read):
    reading = read("Name,Phone\nAda,1\nGr\x00ace\x07,2\n")

    assert reading.upload.encoding == "utf-8"
    assert reading.cells[1] == ("Gr\x00ace\x07", "2")
    (warning,) = reading.upload.warnings
    assert warning == (
        "contacts.csv holds 2 control characters, the first in line 3; values are stored without, which is listed as a "
        "repair."
    )


def test_the_end_of_file_mark_of_dos_is_no_row(read):
    assert read("Name,Phone\r\nAda,1\r\n\x1a").cells == [("Ada", "1")]
