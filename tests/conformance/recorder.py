"""A relay in front of bqlocal that keeps what a client sent: for a look at media as they went over the wire."""

import re
import socket
import socketserver
import threading


class Recorder:
    """with Recorder(port) as recorder: the client speaks to recorder.host; recorder.media() lists Avro files."""

    def __init__(self, port):
        self._port = port
        self._streams = []

    def __enter__(self):
        recorder = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                sent = bytearray()
                recorder._streams.append(sent)
                with socket.create_connection(("127.0.0.1", recorder._port)) as far:
                    back = threading.Thread(target=pump, args=(far, self.request), daemon=True)
                    back.start()
                    pump(self.request, far, sent)
                    back.join()

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def media(self):
        """[(target table, bytes)] of the multipart uploads so far."""
        out = []
        for stream in self._streams:
            for part in re.finditer(rb'"tableId":\s*"([^"]+)".*?\r\n\r\n(Obj\x01.*?)\r\n--', bytes(stream), re.S):
                out.append((part[1].decode(), part[2]))
        return out


def pump(near, far, keep=None):
    """Passes bytes one way until it ends, and the end too."""
    try:
        while data := near.recv(65536):
            if keep is not None:
                keep += data
            far.sendall(data)
        far.shutdown(socket.SHUT_WR)
    except OSError:
        pass
