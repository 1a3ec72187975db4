"""What programs print about quotas, good and bad."""

from __future__ import annotations

import pytest

from autoctrl.errors import QuotaError
from autoctrl.model.quota import Usage
from autoctrl.quotas.answers import read_afs, read_eos, read_xrootd

PATH = "/eos/camera/"
PROJECT = (
    "quota=node gid=project space=/eos/camera/ usedbytes=20000 usedlogicalbytes=10000 usedfiles=7 "
    "maxbytes=80000 maxlogicalbytes=40000 maxfiles=100 percentageusedbytes=25.00 statusbytes=ok "
    "statusfiles=ok\n"
)
UID = PROJECT.replace("gid=project", "uid=1001").replace("usedfiles=7", "usedfiles=3")
ALL = PROJECT.replace("gid=project", "gid=ALL").replace("usedfiles=7", "usedfiles=9")
AFS_HEAD = "Volume Name                    Quota       Used %Used   Partition\n"
SPACE = """Path:               /
Total:              270553174016
Free:               74120683520
Used:               196432490496
Largest free chunk: 74120683520
"""


@pytest.mark.parametrize(
    ("text", "account", "files"),
    [
        (UID + PROJECT, "", 7),
        (UID + ALL, "", 9),
        (UID + PROJECT, "uid=1001", 3),
        (UID, "", 3),
        (f"\n{PROJECT}\n", "", 7),
    ],
)
def test_eos_is_judged_by_logical_bytes_of_the_project(text: str, account: str, files: int) -> None:
    """Without replicas; the project's line, or the one that is chosen, or the only one."""
    assert read_eos(text, PATH, account) == Usage(10000, 40000, files, 100)


def test_eos_without_a_limit_says_nought() -> None:
    """A maximum of 0 is none."""
    text = PROJECT.replace("maxlogicalbytes=40000", "maxlogicalbytes=0")
    assert read_eos(text.replace("maxfiles=100", "maxfiles=0"), PATH) == Usage(10000, None, 7, None)


@pytest.mark.parametrize(
    ("text", "account", "sentence"),
    [
        ("", "", "EOS has no quota at or above /eos/camera/."),
        ("error: all MGMs are asleep", "", "EOS answered what makes no sense: error: all MGMs"),
        ("\x00\x01\x02", "", "EOS answered what makes no sense"),
        (UID + UID.replace("1001", "1002"), "", "no quota of a project at /eos/camera/, but of "),
        (PROJECT, "gid=99", "EOS names no quota of gid=99 at /eos/camera/, but of gid=project."),
        (PROJECT.replace("usedfiles=7", ""), "", "The answer of EOS lacks usedfiles."),
        (PROJECT.replace("usedfiles=7", "usedfiles=-7"), "", "usedfiles = -7, which is negative."),
        (PROJECT.replace("usedfiles=7", "usedfiles=many"), "", "= many, which is no number."),
        (PROJECT.replace("usedfiles=7", "usedfiles=7.5"), "", "= 7.5, which is no number."),
        (PROJECT.replace("usedfiles=7", "usedfiles="), "", "usedfiles = , which is no number."),
    ],
)
def test_eos_without_sense_is_a_sentence(text: str, account: str, sentence: str) -> None:
    """Nothing is known then, least of all that nothing is used."""
    with pytest.raises(QuotaError) as caught:
        read_eos(text, PATH, account)
    assert sentence in caught.value.message


@pytest.mark.parametrize(
    ("line", "usage"),
    [
        ("user.ada        5000000   1500000   30%         54%", Usage(1536000000, 5120000000)),
        ("user.ada     1000  950   95%<<       54%    <<WARNING", Usage(972800, 1024000)),
        ("user.ada     1000  1040  104%<<       97%<<    <<WARNING", Usage(1064960, 1024000)),
        ("user.ada      no limit   1500000    0%         54%", Usage(1536000000)),
        ("user.ada      0   10    0%         54%", Usage(10240)),
    ],
)
def test_afs_counts_in_kilobytes(line: str, usage: Usage) -> None:
    """Marks behind the numbers change nothing; more than all may be used."""
    assert read_afs(AFS_HEAD + line + "\n", "/afs/ada") == usage


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("\n", "AFS said nothing of /afs/ada."),
        (AFS_HEAD, "AFS answered what makes no sense: Volume Name"),
        (AFS_HEAD + "user.ada 10 -3 0% 54%", "AFS says used = -3, which is negative."),
        (AFS_HEAD + "user.ada -10 3 0% 54%", "AFS says quota = -10, which is negative."),
        (AFS_HEAD + "user.ada ten 3 0% 54%", "AFS answered what makes no sense: user.ada ten"),
    ],
)
def test_afs_without_sense_is_a_sentence(text: str, sentence: str) -> None:
    """As for EOS."""
    with pytest.raises(QuotaError) as caught:
        read_afs(text, "/afs/ada")
    assert sentence in caught.value.message


def test_what_an_xrootd_server_does_not_call_free_is_used() -> None:
    """It may hold back room, which nobody can use."""
    assert read_xrootd(SPACE, "/") == Usage(196432490496, 270553174016)
    held_back = SPACE.replace("196432490496", "100")
    assert read_xrootd(held_back, "/") == Usage(196432490496, 270553174016)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "XRootD answered what makes no sense: nothing"),
        ("Total: 1\nUsed: 1\n", "The answer of XRootD lacks Free."),
        (SPACE.replace("270553174016", "0"), "says that / has no space at all."),
        (SPACE.replace("74120683520", "-1"), "XRootD says Free = -1, which is negative."),
        (SPACE.replace("270553174016", "5"), "74120683520 of 5 bytes are free, which is too many."),
        (SPACE.replace("74120683520", "lots"), "XRootD says Free = lots, which is no number."),
    ],
)
def test_xrootd_without_sense_is_a_sentence(text: str, sentence: str) -> None:
    """As for EOS."""
    with pytest.raises(QuotaError) as caught:
        read_xrootd(text, "/")
    assert sentence in caught.value.message
