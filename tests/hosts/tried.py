"""Three hosts, one cut off and one throttled, for `test_network.py`: prints what it saw as JSON."""

import json
import socket
import subprocess
import sys
import threading
import time

from tests.hosts.network import HERE, add_host, lay_bridge

PORT, SIZE = 7000, 2_000_000
SENDER = f"""
import contextlib, socket, sys
with socket.create_server(("", {PORT})) as server:
    print(socket.gethostname(), flush=True)
    while True:
        client, peer = server.accept()
        with client, contextlib.suppress(OSError):  # who has read enough
            client.sendall(peer[0].encode().ljust(20) + b"x" * {SIZE})
"""
READER = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=1) as connection:
    print(connection.recv(20).decode().strip())
"""


def load(address):
    """Bytes and seconds of one answer."""
    begun, got = time.monotonic(), 0
    with socket.create_connection((address, PORT), timeout=10) as connection:
        while piece := connection.recv(1 << 16):
            got += len(piece)
    return got, time.monotonic() - begun


def main():
    lay_bridge()
    hosts = [add_host(name, number) for number, name in enumerate(("one", "two", "three"), 2)]
    python = [sys.executable, "-c"]
    servers = [subprocess.Popen([*host.prefix, *python, SENDER], stdout=subprocess.PIPE, text=True) for host in hosts]
    names = [server.stdout.readline().strip() for server in servers]

    def reads(reader, address):
        asked = [*hosts[reader].prefix, *python, READER, address, str(PORT)]
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()

    seen = {"names": names, "peers": [reads(0, hosts[1].address), reads(2, hosts[1].address)], "here": HERE}
    hosts[1].cut()
    seen["cut off"] = reads(0, hosts[1].address)
    threading.Timer(0.5, hosts[1].join).start()
    seen["loaded over a cut"] = load(hosts[1].address)[0]
    hosts[2].throttle(8)  # a megabyte a second
    seen["seconds"] = load(hosts[2].address)[1]
    seen["sent"] = hosts[2].sent_and_received()[0]
    print(json.dumps(seen))


main()
