"""A relay in front of a server that carries only so many bits a second towards it, as an uplink does."""

import socket
import threading
import time

PIECE = 16384
# What the kernels on both sides may hold beyond what was carried: little, so that a sender feels the link at once.
BUFFER = 65536


class Uplink:
    """The link itself: whoever sends waits until its bytes would have passed, one after the other."""

    def __init__(self, bits_a_second):
        self._bytes_a_second = bits_a_second / 8
        self._lock = threading.Lock()
        self._free_at = 0.0

    def carry(self, count):
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + count / self._bytes_a_second
            wait = self._free_at - now
        time.sleep(wait)


class SlowLink:
    """with SlowLink(port, 50e6) as link: the client speaks to link.host. Answers come back at full speed."""

    def __init__(self, port, bits_a_second):
        self._port = port
        self._uplink = Uplink(bits_a_second)

    def __enter__(self):
        self._server = socket.socket()
        self._server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self._server.bind(("127.0.0.1", 0))
        self._server.listen(64)
        self.host = f"127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.close()

    def _accept(self):
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._port))
            for sides in ((near, far, self._uplink.carry), (far, near, None)):
                threading.Thread(target=relay, args=sides, daemon=True).start()


def relay(source, target, carry):
    """Passes bytes one way until it ends, and the end too."""
    try:
        while data := source.recv(PIECE):
            if carry is not None:
                carry(len(data))
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass
