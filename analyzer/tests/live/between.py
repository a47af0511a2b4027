"""A place between keytrail and the server: passes everything on, counts it, refuses what it is told to refuse, and answers
the two calls that the server does not know."""

import http.client
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Between:
    """`refuse(region, call, body)` gives an error code, or None. `calls` are pairs of Region and call."""

    def __init__(self, endpoint, regions=(), refuse=lambda region, call, body: None):
        self.to = urlsplit(endpoint).netloc
        self.regions = regions
        self.refuse = refuse
        self.calls = []
        self.lock = threading.Lock()

    def __enter__(self):
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                owner.answer(self)

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

    def answer(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        scope = re.search(r"Credential=[^/]+/\d+/([a-z0-9-]+)/([a-z]+)/", request.headers.get("Authorization", ""))
        region, service = scope.groups() if scope else ("", "")
        call = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        if service == "account":
            call = "ListRegions"
        elif service == "sts":
            call = re.search(rb"Action=(\w+)", body).group(1).decode()
        with self.lock:
            self.calls.append((region, call))
        if code := self.refuse(region, call, body):
            if service == "sts":
                text = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>as the test wants it</Message></Error></ErrorResponse>"
                return self.write(request, 403, text.encode(), "text/xml")
            return self.send(request, 400, {"__type": code, "message": "as the test wants it", "Code": code})
        if call == "ListRegions":
            listed = [{"RegionName": name, "RegionOptStatus": status} for name, status in self.regions]
            return self.send(request, 200, {"Regions": listed})
        if call == "DescribeCustomKeyStores":
            return self.send(request, 200, {"CustomKeyStores": [], "Truncated": False})
        connection = http.client.HTTPConnection(self.to, timeout=60)
        try:
            connection.putrequest("POST", request.path, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            self.write(request, answer.status, answer.read(), answer.headers.get("Content-Type", ""))
        finally:
            connection.close()

    def send(self, request, status, document):
        self.write(request, status, json.dumps(document).encode(), "application/x-amz-json-1.1", document.get("__type"))

    def write(self, request, status, content, kind, error=None):
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(content)))
        if error:
            request.send_header("x-amzn-ErrorType", error)
        request.end_headers()
        request.wfile.write(content)
