"""An object store on a host of its own: `python -m tests.hosts.store ADDRESS` prints its environment and its bucket."""

import json
import sys
import time

from tests.object_store import ObjectStore


def main():
    store = ObjectStore(sys.argv[1])
    print(json.dumps({"variables": store.environment, "bucket": store.bucket()}), flush=True)
    while True:
        time.sleep(3600)


main()
