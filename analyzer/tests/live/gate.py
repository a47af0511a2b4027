"""Refuses what a test wants refused, and answers the two calls that the server does not know."""

import json
import re

from between import Between


class Gate(Between):
    """`refuse(region, call, body)` gives an error code, or None. `calls` are pairs of Region and call."""

    def __init__(self, endpoint, regions=(), refuse=lambda region, call, body: None):
        super().__init__(endpoint)
        self.regions = regions
        self.refuse = refuse
        self.calls = []

    def before(self, request, body):
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
        return False

    def send(self, request, status, document):
        return self.write(request, status, json.dumps(document).encode(), "application/x-amz-json-1.1", document.get("__type"))

    def write(self, request, status, content, kind, error=None):
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(content)))
        if error:
            request.send_header("x-amzn-ErrorType", error)
        request.end_headers()
        request.wfile.write(content)
        return True
