"""An HTTP proxy whose every tunnel leads to one local port, whatever host was asked for.

Through it a program that speaks to https://bigquery.googleapis.com reaches bqlocal with its own TLS, so the way
to Google is tested as it is: real host names, verified certificates, a proxy, nothing switched off.
"""

import select
import socket
import socketserver
import threading


class Tunnel:
    """with Tunnel(port) as tunnel: environment["HTTPS_PROXY"] = tunnel.url; tunnel.hosts lists who was asked for."""

    def __init__(self, port):
        self.hosts = []
        self._port = port

    def __enter__(self):
        tunnel = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                request = self.rfile.readline().split()
                while self.rfile.readline().strip():
                    pass
                if len(request) < 2 or request[0] != b"CONNECT":
                    self.wfile.write(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")
                    return
                tunnel.hosts.append(request[1].decode())
                with socket.create_connection(("127.0.0.1", tunnel._port)) as far:
                    self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    relay(self.connection, far)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


def relay(near, far):
    """Passes bytes both ways until either side ends."""
    other = {near: far, far: near}
    while True:
        for ready in select.select([near, far], [], [])[0]:
            try:
                data = ready.recv(65536)
                if not data:
                    return
                other[ready].sendall(data)
            except OSError:
                return
