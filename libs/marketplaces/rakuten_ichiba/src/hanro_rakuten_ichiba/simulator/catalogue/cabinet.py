"""Answers CabinetAPI 1.0 in its XML, for a shop that has the base folder and no files.

Source: rakuten-ichiba-catalog 6.1 to 6.5 [2+]; messages that do not stand in 6.5 are assumed [?].
"""

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape

from hanro_rakuten_ichiba.simulator.catalogue.refusals import NOT_PLAYED_TEXT

_OPENING = '<?xml version="1.0" encoding="UTF-8"?>\n'
_WRONG_FORMAT = "Request data is wrong format"
_BASE = (
    "<folder><FolderId>0</FolderId><FolderName>基本フォルダ</FolderName><FolderNode>0</FolderNode>"
    "<FolderPath>/</FolderPath><FileCount>0</FileCount><FileSize>0.000</FileSize>"
    "<TimeStamp>2026-03-30 12:00:00</TimeStamp></folder>"
)
_USAGE = (
    "<MaxSpace>5000</MaxSpace><FolderMax>500</FolderMax><FileMax>2000</FileMax><UseSpace>0.000</UseSpace>"
    "<AvailSpace>5120000.000</AvailSpace><UseFolderCount>1</UseFolderCount><AvailFolderCount>499</AvailFolderCount>"
)
_NO_FILES = "<fileAllCount>0</fileAllCount><fileCount>0</fileCount><files/>"
# What each write cannot do without; a file comes in a part of its own.
_MANDATORY: Mapping[str, tuple[str, ...]] = {
    "cabinet.file.insert": ("fileName", "folderId"),
    "cabinet.file.update": ("fileId",),
    "cabinet.file.delete": ("fileId",),
    "cabinet.trashbox.file.revert": ("fileId", "folderId"),
    "cabinet.folder.insert": ("folderName",),
}
_OF_A_FILE = ("cabinet.file.update", "cabinet.file.delete", "cabinet.trashbox.file.revert")
_FILE_PART = re.compile(rb'name="file"')
_MOST_SHOWN, _MOST_PAGES = 100, 1_000_000
Answered = tuple[int, str]


def answer_cabinet(function: str, query: Mapping[str, str], content: bytes, request_id: str) -> Answered:
    """Give status and XML of one call."""
    if function in _MANDATORY:
        return _write(function, content, request_id)
    echo = "".join(f"<{name}>{escape(text)}</{name}>" if text else f"<{name}/>" for name, text in query.items())
    requests = f"<requests>{echo}</requests>" if echo else "<requests/>"
    if not all(_is_page(name, query[name]) for name in ("offset", "limit") if query.get(name)):
        return failed(function, 400, "ParameterError", request_id, code=3001)
    match function:
        case "cabinet.usage.get":
            shown = _USAGE
        case "cabinet.folders.get":
            shown = f"<folderAllCount>1</folderAllCount><folderCount>1</folderCount><folders>{_BASE}</folders>"
        case "cabinet.folder.files.get" if not query.get("folderId"):
            return failed(function, 400, "ParameterError", request_id, code=3001)
        case "cabinet.folder.files.get" if query["folderId"] != "0":
            return failed(function, 400, "Not exists folder", request_id, code=3005)
        case "cabinet.files.search" if not any(query.get(name) for name in ("fileId", "filePath", "fileName")):
            return failed(function, 400, "ParameterError", request_id, code=3001)
        case _:
            shown = _NO_FILES
    return 200, (
        f"{_OPENING}<result><status><interfaceId>{function}</interfaceId><systemStatus>OK</systemStatus>"
        f"<message>OK</message><requestId>{request_id}</requestId>{requests}</status>"
        f"<{_holder(function)}><resultCode>0</resultCode>{shown}</{_holder(function)}></result>"
    )


def failed(function: str, status: int, message: str, request_id: str, *, code: int | None = None) -> Answered:
    """Give status and XML of a refusal; without `code` there is no result behind the status."""
    holder = _holder(function)
    result = "" if code is None else f"<{holder}><resultCode>{code}</resultCode></{holder}>"
    return status, (
        f"{_OPENING}<result><status><interfaceId>{function}</interfaceId><systemStatus>NG</systemStatus>"
        f"<message>{message}</message><requestId>{request_id}</requestId></status>{result}</result>"
    )


def _write(function: str, content: bytes, request_id: str) -> Answered:
    text = content.decode("utf-8", errors="replace")
    if "<request>" not in text:
        return failed(function, 400, _WRONG_FORMAT, request_id)
    lacking = [name for name in _MANDATORY[function] if not re.search(rf"<{name}>\s*[^<\s]", text)]
    if lacking or (function == "cabinet.file.insert" and not _FILE_PART.search(content)):
        return failed(function, 400, "ParameterError", request_id, code=3001)
    if function in _OF_A_FILE:
        return failed(function, 400, "Not exists file", request_id, code=3004)
    return failed(function, 501, NOT_PLAYED_TEXT, request_id)


def _holder(function: str) -> str:
    """Give the element of a function's result: `cabinet.folder.files.get` has cabinetFolderFilesGetResult."""
    first, *rest = function.split(".")
    return first + "".join(part.capitalize() for part in rest) + "Result"


def _is_page(name: str, text: str) -> bool:
    most = _MOST_SHOWN if name == "limit" else _MOST_PAGES
    return text.isdecimal() and len(text) <= len(str(_MOST_PAGES)) and 1 <= int(text) <= most
