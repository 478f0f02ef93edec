"""Where a machine refuses namespaces: Landlock and seccomp around a command.

Run as a script, `confine.py ORDER COMMAND…`, the order being JSON: `read` (paths to read and execute), `list`
(folders whose files may be listed, all the way down, not read), `write` (the private folder), `filter` (BPF in
hexadecimal). Network sockets are refused by the filter, signals and sockets of other processes by Landlock's scopes
(version 6, Linux 6.12).

Not covered here: the disk may be filled with files of the size limit each until the time limit, and the process numbers
of the host are the program's too.
"""

from __future__ import annotations

import ctypes
import json
import os
import struct
import sys

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
PATH_BENEATH, ALL_FILE_RIGHTS, ALL_NETWORK_RIGHTS, ALL_SCOPES = 1, (1 << 16) - 1, 3, 3
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE, IOCTL = 1, 2, 4, 8, 1 << 14, 1 << 15
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP = 38, 22

libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Confine this process, then become the command."""
    order = json.loads(sys.argv[1])
    try:
        rules = _checked(libc.syscall(CREATE_RULESET, struct.pack("<QQQ", ALL_FILE_RIGHTS, ALL_NETWORK_RIGHTS,
                                                                  ALL_SCOPES), ctypes.c_size_t(24), 0))  # fmt: skip
        for path in order["read"]:
            _allow(rules, path, EXECUTE | READ_FILE | READ_DIR)
        for path in order["list"]:
            _allow(rules, path, READ_DIR)
        for path in ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"):
            _allow(rules, path, READ_FILE | WRITE_FILE)
        _allow(rules, order["write"], ALL_FILE_RIGHTS)
        _checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _checked(libc.syscall(RESTRICT_SELF, rules, 0))
        os.close(rules)
        _filter(bytes.fromhex(order["filter"]))
    except OSError as error:
        sys.exit(f"sandbox: {error}")
    os.execve(sys.argv[2], sys.argv[2:], {"TMPDIR": order["write"]})  # noqa: S606 - our own interpreter


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    if not os.path.isdir(path):  # noqa: PTH112 - before anything else is imported
        rights &= EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL
    _checked(libc.syscall(ADD_RULE, rules, PATH_BENEATH, struct.pack("<Qi", rights, place), 0))
    os.close(place)


def _filter(program: bytes) -> None:
    class Filter(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]

    code = Filter(len(program) // 8, program)
    _checked(libc.prctl(PR_SET_SECCOMP, 2, ctypes.byref(code), 0, 0))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


if __name__ == "__main__":
    main()
