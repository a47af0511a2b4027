"""A place between keytrail and a server: everything goes through it, and what a test adds happens there."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Between:
    """Passes everything on. `answers`: method, path, headers and status of all; `failures`: what went wrong in between."""

    def __init__(self, endpoint):
        self.to = urlsplit(endpoint).netloc
        self.lock = threading.Lock()
        self.answers = []
        self.failures = []

    def before(self, request, content):
        """Comes before a request is passed on; true when it was answered already."""
        return False

    def __enter__(self):
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def pass_on(self):
                try:
                    owner.pass_on(self)
                except Exception as failure:  # The client is told by the broken connection, the test by this.
                    owner.failures.append(failure)
                    raise

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def pass_on(self, request):
        content = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        if self.before(request, content):
            return
        connection = http.client.HTTPConnection(self.to, timeout=60)
        try:
            # The host stays what the client has signed.
            connection.putrequest(request.command, request.path, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers.items():
                if name.lower() not in ("connection", "expect"):
                    connection.putheader(name, value)
            connection.endheaders(content)
            answer = connection.getresponse()
            told = answer.read()
        finally:
            connection.close()
        with self.lock:
            self.answers.append((request.command, request.path, request.headers, answer.status))
        request.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                request.send_header(name, value)
        length = answer.getheader("Content-Length") if request.command == "HEAD" else str(len(told))
        if length is not None and answer.status != 204:
            request.send_header("Content-Length", length)
        request.end_headers()
        request.wfile.write(told)


class Meanwhile(Between):
    """Before the first request that `meets`, `meanwhile` is done."""

    def __init__(self, endpoint, meets, meanwhile):
        super().__init__(endpoint)
        self.meets = meets
        self.meanwhile = meanwhile
        self.done = False

    def before(self, request, content):
        with self.lock:
            first = not self.done and self.meets(request)
            self.done = self.done or first
        if first:
            self.meanwhile()
        return False
