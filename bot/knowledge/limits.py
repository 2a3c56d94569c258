"""What a file may be before it is opened: not too large, not a bomb, no macros, no password."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from bot.errors import ContentError, Problem

LARGEST = 20 << 20  # bytes of a file as it lies on the disk
_LARGEST_OPEN = 200 << 20  # bytes of an Office file once it is unpacked
_MOST_PARTS = 10_000
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MACROS = "vbaproject.bin"

# What people lay there all the same, and what they have to make of it.
WRONG_KINDS = {
    ".doc": "用 Word 打开，另存为「Word 文档(.docx)」",
    ".docm": "带宏的文件不读：另存为「Word 文档(.docx)」",
    ".wps": "用 WPS 打开，另存为「Word 文档(.docx)」",
    ".rtf": "用 Word 打开，另存为「Word 文档(.docx)」",
    ".xls": "用 Excel 打开，另存为「Excel 工作簿(.xlsx)」",
    ".xlsm": "带宏的文件不读：另存为「Excel 工作簿(.xlsx)」",
    ".et": "用 WPS 打开，另存为「Excel 工作簿(.xlsx)」",
    ".ppt": "把要紧的话写成 .md 或 .docx",
    ".pptx": "把要紧的话写成 .md 或 .docx",
    ".txt": "改成 .md，开头写上编号、受众、审批等信息",
    ".yaml": "问答的文件名以 .qa.yaml 结尾",
    ".yml": "问答的文件名以 .qa.yaml 结尾",
}


def refused(file: str, what: str, mend: str, key: str = "", line: int = 0) -> ContentError:
    """Make the error of a whole file with its one problem."""
    return ContentError([Problem(file, line, key, what, mend)])


def read_bytes(path: Path, file: str) -> bytes:
    """Return what a file holds; raises ``ContentError`` for one that is too large or not there."""
    try:
        size = path.stat().st_size
        if size > LARGEST:
            what = f"文件有 {size >> 20} MB，最多 {LARGEST >> 20} MB"
            raise refused(file, what, "拆成几个文件；图片多的，先删掉图片")
        data = path.read_bytes()
    except OSError as error:
        raise refused(file, "文件读不出来", "检查文件是否存在、是否有权限") from error
    if not data:
        raise refused(file, "文件是空的", "写上内容，或删掉这个文件")
    return data


def check_office(data: bytes, file: str, program: str) -> None:
    """Refuse an Office file that cannot or must not be opened; ``program`` is Word or Excel."""
    if data.startswith(_OLD_OFFICE):
        if _ENCRYPTED in data:
            raise refused(file, "文件加了打开密码", f"用 {program} 打开，去掉密码再存")
        what = "这是旧格式的文件，只是改了后缀名"
        raise refused(file, what, f"用 {program} 打开，另存为新格式")
    try:
        with ZipFile(BytesIO(data)) as archive:
            parts = archive.infolist()
    except (BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise refused(file, "文件坏了，打不开", f"用 {program} 打开看看，再另存一遍") from error
    if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > _LARGEST_OPEN:
        what = f"文件解开以后超过 {_LARGEST_OPEN >> 20} MB"
        raise refused(file, what, "删掉图片和没用的内容，或拆成几个文件")
    if any(part.filename.lower().endswith(_MACROS) for part in parts):
        raise refused(file, "文件里有宏", f"用 {program} 打开，另存为不带宏的格式")
    if any(part.flag_bits & 1 for part in parts):
        raise refused(file, "文件加了密码", f"用 {program} 打开，去掉密码再存")
