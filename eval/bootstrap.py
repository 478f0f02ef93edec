"""The first code inside the sandbox: sets the limits, runs the program, reports how it ended.

Run by `eval/sandbox.py` as a script in the sandboxed interpreter, never imported. It reads one JSON line from the file
descriptor in its first argument (nonce, limits, source) and writes `<nonce> <status>` to the one in its second.
"""

import json
import os
import resource
import sys
import traceback


def main() -> None:
    """Run the program of the order as `__main__`."""
    with os.fdopen(int(sys.argv[1]), "rb") as orders:
        order = json.loads(orders.read())
    report = int(sys.argv[2])
    for name, limit in order["limits"].items():
        resource.setrlimit(getattr(resource, name), (limit, limit))
    sys.argv = ["program.py"]
    status = "failed"
    try:
        code = compile(order["source"], "program.py", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        traceback.print_exc(limit=0)
        status = "syntax"
    else:
        space = {"__name__": "__main__", "__builtins__": __builtins__}
        try:
            exec(code, space)  # noqa: S102 - this process is the sandbox's child
            status = "passed"
        except MemoryError:
            status = "memory"
        except SystemExit:
            sys.stderr.write("the program ended itself before its tests did\n")
        except BaseException as error:  # noqa: BLE001 - whatever the program raises is its outcome
            frames = error.__traceback__.tb_next if error.__traceback__ else None
            traceback.print_exception(type(error), error, frames, limit=-3)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os.write(report, f"{order['nonce']} {status}".encode())
        os._exit(0)


if __name__ == "__main__":
    main()
