"""A model hub of a few endpoints on this machine, for a client that knows only the real one."""

import base64
import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

TOKEN = "hf_of_this_test"


@dataclass
class Repository:
    """Its files at every commit; ``sizes`` are lies about them, ``sent`` what is sent instead."""

    private: bool = False
    commits: list = field(default_factory=list)
    sizes: dict = field(default_factory=dict)
    sent: dict = field(default_factory=dict)

    @property
    def files(self):
        return self.commits[-1] if self.commits else {}

    def at(self, revision):
        shas = [self.sha(i) for i in range(len(self.commits))]
        if revision == "main":
            return len(self.commits) - 1
        return shas.index(revision) if revision in shas else None

    def sha(self, place):
        return hashlib.sha1(f"{id(self)} {place}".encode()).hexdigest()


class Hub:
    """The server; ``asked`` are the requests that it had, ``repositories`` by ``name/model``."""

    def __init__(self):
        self.repositories, self.lfs, self.asked = {}, {}, []
        self.bodies, self.closed = [], False
        verbs = {f"do_{verb}": _Handler.go for verb in ("GET", "HEAD", "POST", "PUT")}
        handler = type("Handler", (_Handler,), {"hub": self, **verbs})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.closed = True
        self.server.shutdown()
        self.server.server_close()

    def put(self, name, files, **more):
        """Lay files into a repository as somebody else would."""
        self.repositories[name] = Repository(commits=[dict(files)], **more)
        return self.repositories[name]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def _answer(self, status, content=b"", **headers):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        headers.setdefault("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _fail(self, status, code, said="no"):
        self._answer(status, {"error": said}, X_Error_Code=code, X_Error_Message=said)

    @property
    def _knows(self):
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def _read(self):
        n = int(self.headers.get("Content-Length") or 0)
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(n)

    def go(self):
        if self.hub.closed:
            # What is kept alive would be answered still.
            self.close_connection = True
            return None
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append((self.command, path))
        body = self._read()
        self.hub.bodies.append(body)
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if path == "/api/validate-yaml":
            return self._answer(200, {"errors": [], "warnings": []})
        if found := re.fullmatch(r"/lfs/(\w+)", path):
            self.hub.lfs[found[1]] = body
            return self._answer(200)
        found = re.match(r"(?:/api/models)?/([^/]+/[^/]+?)(?:\.git)?(/.*)?$", path)
        name, rest = found[1], found[2] or ""
        repository = self.hub.repositories.get(name)
        if repository is None or (repository.private and not self._knows):
            return self._fail(404 if self._knows else 401, "RepoNotFound")
        if self.command in ("POST", "PUT") and not self._knows:
            return self._fail(401, "", "a token is missing")
        if rest == "/info/lfs/objects/batch":
            return self._batch(json.loads(body))
        if found := re.fullmatch(r"/preupload/([^/]+)", rest):
            files = json.loads(body)["files"]
            large = [f["path"].endswith(".safetensors") for f in files]
            modes = [
                {
                    "path": f["path"],
                    "uploadMode": "lfs" if is_large else "regular",
                    "shouldIgnore": False,
                }
                for f, is_large in zip(files, large)
            ]
            return self._answer(200, {"files": modes})
        if found := re.fullmatch(r"/commit/([^/]+)", rest):
            return self._commit(name, repository, body)
        if found := re.fullmatch(r"/resolve/([^/]+)/(.+)", rest):
            return self._file(repository, found[1], found[2])
        found = re.fullmatch(r"(?:/revision/(.+))?", rest)
        return self._info(name, repository, found[1] or "main")

    def _create(self, asked):
        if not self._knows:
            return self._fail(401, "", "a token is missing")
        name = f"{asked.get('organization') or 'jane'}/{asked['name']}"
        url = {"url": f"{self.hub.url}/{name}"}
        if name in self.hub.repositories:
            return self._answer(409, {"error": "it exists", **url})
        private = asked.get("private") or asked.get("visibility") == "private"
        self.hub.repositories[name] = Repository(bool(private), [{".gitattributes": b""}])
        return self._answer(200, url)

    def _batch(self, asked):
        objects = [
            {**o, "actions": {"upload": {"href": f"{self.hub.url}/lfs/{o['oid']}"}}}
            for o in asked["objects"]
        ]
        return self._answer(200, {"transfer": "basic", "objects": objects})

    def _commit(self, name, repository, body):
        files = dict(repository.files)
        for line in filter(None, body.splitlines()):
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                files[value["path"]] = self.hub.lfs[value["oid"]]
        repository.commits.append(files)
        sha = repository.sha(len(repository.commits) - 1)
        url = f"{self.hub.url}/{name}/commit/{sha}"
        self._answer(200, {"success": True, "commitUrl": url, "commitOid": sha})

    def _info(self, name, repository, revision):
        place = repository.at(revision)
        if place is None:
            return self._fail(404, "RevisionNotFound")
        siblings = [
            {"rfilename": path, "size": repository.sizes.get(path, len(content)), "blobId": "0"}
            for path, content in repository.commits[place].items()
        ]
        sha = repository.sha(place)
        known = {"id": name, "modelId": name, "sha": sha, "private": repository.private}
        return self._answer(200, {**known, "siblings": siblings, "tags": [], "downloads": 0})

    def _file(self, repository, revision, path):
        place = repository.at(revision)
        if place is None:
            return self._fail(404, "RevisionNotFound")
        if path not in repository.commits[place]:
            return self._fail(404, "EntryNotFound")
        content = repository.sent.get(path, repository.commits[place][path])
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        return self._answer(
            200, content, X_Repo_Commit=repository.sha(place), ETag=etag, Accept_Ranges="none"
        )
