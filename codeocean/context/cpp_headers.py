"""What headers of C's and C++'s own library give, and what is never defined with g++ on Linux.

`cpp_headers.json` was made by asking g++ 12 with -std=c++17 for each name behind each header
(`python -m bench.extraction.cpp_headers`).
"""

from __future__ import annotations

import json
from collections.abc import Set
from functools import cache
from pathlib import Path

from codeocean.context.tables import words_of

ABSENT = words_of(
    "_WIN32 _WIN64 WIN32 WIN64 __WIN32__ _MSC_VER _MSVC_LANG __MINGW32__ __MINGW64__ __CYGWIN__ __APPLE__ __MACH__ "
    "TARGET_OS_IPHONE TARGET_OS_MAC __clang__ __INTEL_COMPILER __ICC __ICL __BORLANDC__ __CODEGEARC__ __DMC__ "
    "__SUNPRO_CC __SUNPRO_C __HP_aCC __IBMCPP__ __xlC__ __PGI __NVCC__ __CUDACC__ __CUDA_ARCH__ __HIPCC__ "
    "__EMSCRIPTEN__ __ANDROID__ ANDROID __FreeBSD__ __NetBSD__ __OpenBSD__ __DragonFly__ __sun _AIX __hpux __OS2__ "
    "__HAIKU__ __QNX__ __QNXNTO__ __VXWORKS__ _LIBCPP_VERSION __DOXYGEN__ DOXYGEN DOXYGEN_SHOULD_SKIP_THIS "
    "GENERATING_DOCUMENTATION DOXYGEN_RUNNING DOXYGEN_INVOKED DOXYGEN_ONLY __cplusplus_cli __cplusplus_winrt SWIG "
    "__CODEGEARC__ __WATCOMC__ __GCCXML__ __EDG__ _MANAGED __has_feature __OBJC__ _CPPRTTI _STLPORT_VERSION"
)
"""Macros of other compilers and systems, and of tools that read comments."""
PREDEFINED: dict[str, int | None] = {
    "__cplusplus": 201703, "__linux__": 1, "__linux": 1, "linux": 1, "__gnu_linux__": 1, "__unix__": 1, "__unix": 1,
    "unix": 1, "__STDC__": 1, "__STDC_HOSTED__": 1, "__GXX_RTTI": 1, "__GXX_EXPERIMENTAL_CXX0X__": 1, "__GNUC__": None,
    "__GNUC_MINOR__": None, "__GNUC_PATCHLEVEL__": None, "__GNUG__": None, "__VERSION__": None, "__ELF__": 1,
    "__EXCEPTIONS": 1, "__cpp_exceptions": None, "__cpp_rtti": None, "__has_include": None, "__COUNTER__": None,
    "__has_cpp_attribute": None, "__has_attribute": None, "__has_builtin": None, "__FILE__": None, "__LINE__": None,
    "__BASE_FILE__": None, "__DATE__": None, "__TIME__": None, "__CHAR_BIT__": 8,
}  # fmt: skip
"""Macros of g++ on Linux with their values, None where that is another from version to version."""


@cache
def _table() -> dict[str, dict[str, frozenset[str]]]:
    """Kind (`std`, `global`) → header → names."""
    found = json.loads(Path(__file__).with_name("cpp_headers.json").read_text(encoding="utf-8"))
    table: dict[str, dict[str, set[str]]] = {}
    for kind in ("std", "global"):
        table[kind] = {header: set() for header in found["headers"].split()}
        for group in found[kind]:
            for header in group["headers"].split():
                table[kind][header].update(group["names"].split())
    return {kind: {header: frozenset(names) for header, names in by.items()} for kind, by in table.items()}


def is_standard(header: str) -> bool:
    """Whether a header belongs to the library of C, C++ or POSIX."""
    return header in _table()["std"]


def names_given(headers: Set[str], kind: str) -> frozenset[str]:
    """Names that some headers give.

    Args:
        headers: as they are included, `sys/types.h`.
        kind: `std` for those of that namespace, `global` for those outside of it, macros too.
    """
    by = _table()[kind]
    return frozenset().union(*(by.get(header, frozenset()) for header in headers))
